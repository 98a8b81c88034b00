#include "builder/assemble/compiler_tree.h"

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/file.h"
#include "tests/builder/assemble/packages_fixture.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using specs::Error;
using specs::ErrorKind;
using support::MakeDeb;
using testing::HasSubstr;

class CompilerTree : public testing::Test {
 protected:
  CompilerTree() {
    MakeDeb python{.name = "python3.11-minimal", .version = "3.11.2-6"};
    python.File("./usr/bin/python3.11", "program", 0755);
    MakeDeb library{.name = "libc6", .version = "2.36-9"};
    library.File("./usr/lib/libc.so.6", "library").Link("./usr/lib/libc.so", "libc.so.6");
    specs::LockedPlatform locked;
    packages_.Add(locked, python);
    packages_.Add(locked, library);
    compiler_.host = specs::HostPlatform();
    compiler_.packages = locked.packages;
    spec_.python.version = "3.11";
  }

  PythonTree Find() {
    Fetcher fetcher = packages_.MakeFetcher();
    return FindCompilerTree(compiler_, spec_, TreeTrust::kSigned, fetcher, packages_.store);
  }
  std::string Failure() {
    try {
      Find();
    } catch (const Error& error) {
      kind_ = error.kind();
      EXPECT_TRUE(fs::is_empty(packages_.store.paths().Temporary()));
      return error.what();
    }
    ADD_FAILURE() << "no failure";
    return "";
  }

  Packages packages_;
  specs::LockedCompiler compiler_;
  specs::Spec spec_;
  ErrorKind kind_ = ErrorKind::kUsage;
};

TEST_F(CompilerTree, IsExtractedOnceAndFoundAgain) {
  const PythonTree tree = Find();
  EXPECT_EQ(tree.version, "3.11");
  EXPECT_EQ(tree.architecture, compiler_.host.architecture);
  EXPECT_TRUE(fs::exists(tree.root / "usr/bin/python3.11"));
  EXPECT_EQ(fs::read_symlink(tree.root / "usr/lib/libc.so"), "libc.so.6");
  packages_.http.BreakAll("cut off");
  for (const specs::LockedPackage& package : compiler_.packages) {
    fs::remove(packages_.store.paths().Download(package.sha256));
  }
  EXPECT_EQ(Find().root, tree.root);
}

TEST_F(CompilerTree, ADamagedTreeIsExtractedAgain) {
  const fs::path program = Find().root / "usr/bin/python3.11";
  std::ofstream(program, std::ios::binary) << "prOgram";
  EXPECT_EQ(layers::ReadFile(Find().root / "usr/bin/python3.11"), "program");
  fs::remove(program);
  EXPECT_TRUE(fs::exists(Find().root / "usr/bin/python3.11"));
  for (const specs::LockedPackage& package : compiler_.packages) {
    EXPECT_EQ(packages_.http.Count(packages_.Url(package)), 1);
  }
}

TEST_F(CompilerTree, OtherPackagesAreAnotherTree) {
  const fs::path first = Find().root;
  compiler_.packages.pop_back();
  EXPECT_NE(Find().root, first);
}

TEST_F(CompilerTree, ManyThreadsExtractItOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([this] { Find(); });
  for (std::thread& thread : threads) thread.join();
  for (const specs::LockedPackage& package : compiler_.packages) {
    EXPECT_EQ(packages_.http.Count(packages_.Url(package)), 1);
  }
}

TEST_F(CompilerTree, AFailedDownloadIsItsErrorAndAskedForOnce) {
  packages_.http.Break(packages_.Url(compiler_.packages[1]), "connection refused");
  EXPECT_THAT(Failure(), HasSubstr("connection refused"));
  EXPECT_EQ(packages_.http.Count(packages_.Url(compiler_.packages[1])), 1);
}

TEST_F(CompilerTree, ADamagedArchiveIsFetchedAgainOnce) {
  const specs::LockedPackage& library = compiler_.packages[1];
  const fs::path path = packages_.MakeFetcher().FetchNow(library);
  std::ofstream(path, std::ios::binary) << std::string(library.size, 'x');
  EXPECT_TRUE(fs::exists(Find().root / "usr/lib/libc.so.6"));
  EXPECT_EQ(packages_.http.Count(packages_.Url(library)), 2);
}

TEST_F(CompilerTree, ADamagedArchiveThatCannotBeFetchedAgainIsAnError) {
  const specs::LockedPackage& library = compiler_.packages[1];
  const fs::path path = packages_.MakeFetcher().FetchNow(library);
  std::ofstream(path, std::ios::binary) << std::string(library.size, 'x');
  packages_.http.Serve(packages_.Url(library), std::string(library.size, 'y'));
  EXPECT_THAT(Failure(), HasSubstr("turned out damaged in the cache"));
  EXPECT_EQ(kind_, ErrorKind::kVerification);
  EXPECT_EQ(packages_.http.Count(packages_.Url(library)), 2);
}

TEST_F(CompilerTree, TheLockHasToHaveOneForThisHost) {
  specs::Lock lock;
  EXPECT_THROW(HostCompiler(lock), Error);
  lock.compilers = {compiler_};
  EXPECT_EQ(&HostCompiler(lock), &lock.compilers[0]);
}

// The same on hosts of every architecture, so that their images are.
TEST_F(CompilerTree, ItsIdIsThatOfTheInterpreterAlone) {
  const std::string id = CompilerId(compiler_, "3.11", TreeTrust::kSigned);
  EXPECT_THAT(id, HasSubstr("python3.11-minimal=3.11.2-6"));
  compiler_.host.architecture = specs::Architecture::kArm64;
  compiler_.packages[1].version = "2.40-1";
  EXPECT_EQ(CompilerId(compiler_, "3.11", TreeTrust::kSigned), id);
  EXPECT_THROW(CompilerId(compiler_, "3.13", TreeTrust::kSigned), Error);
}

// What it makes must not be found by a lock that names the archive's.
TEST_F(CompilerTree, OneThatNobodyVouchesForHasAnIdOfItsOwn) {
  const std::string id = CompilerId(compiler_, "3.11", TreeTrust::kNone);
  EXPECT_NE(id, CompilerId(compiler_, "3.11", TreeTrust::kSigned));
  compiler_.packages[1].sha256 = specs::HashOf("other bytes");
  EXPECT_NE(CompilerId(compiler_, "3.11", TreeTrust::kNone), id);
}

TEST_F(CompilerTree, ARefusalHolds) {
  int asked = 0;
  CompilerTrust trust([&](const specs::LockedCompiler& compiler) {
    ++asked;
    return compiler.packages.size() == 2;
  });
  EXPECT_NO_THROW(trust.Require(compiler_));
  EXPECT_FALSE(trust.Refused());
  compiler_.packages.pop_back();
  EXPECT_THROW(trust.Require(compiler_), Error);
  EXPECT_THROW(trust.Require(compiler_), Error);
  EXPECT_TRUE(trust.Refused());
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace imgbuild::builder
