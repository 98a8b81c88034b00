// A repository whose lock names a Python of its own to compile with: cloning and building it must
// not run that with the user's rights.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include "layers/io/file.h"
#include "specs/base/digest.h"
#include "specs/env/lock.h"
#include "specs/oci/platform.h"
#include "tests/bad_input/bad_input_fixture.h"
#include "tests/support/mini_deb.h"

namespace imgbuild::bad_input {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kPath[] = "pool/main/e/evil/python3.11-minimal_3.11.2-6_all.deb";

class HostileLock : public BadInput {
 protected:
  void SetUp() override {
    std::string spec = kSpec;
    spec.replace(spec.find("compile = \"none\""), 16, "compile = \"all\"");
    Write("small.toml", spec);
    const Ended ended = whole_build::Execute(world_, Command({"lock", "small.toml", "-q"}));
    ASSERT_EQ(ended.status, 0) << ended.output;
    lock_ = specs::ParseLock(layers::ReadFile(lock()), "small.lock");

    // What the build starts as the dynamic linker.
    support::MiniDeb deb;
    deb.name = "python3.11-minimal";
    deb.version = "3.11.2-6";
    for (const char* linker :
         {"x86_64-linux-gnu/ld-linux-x86-64.so.2", "aarch64-linux-gnu/ld-linux-aarch64.so.1"}) {
      const std::string path = std::string("usr/lib/") + linker;
      deb.files[path] = fmt::format("#!/bin/sh\necho ran >{}\n", marker().string());
      deb.modes[path] = 0755;
    }
    bytes_ = deb.Bytes();
    Write("evil.deb", bytes_);
    world_.SetFault([this](const ServedRequest& request) -> std::optional<ServedResponse> {
      if (request.target.find("/evil/") == std::string::npos) return std::nullopt;
      return ServedResponse{.body = bytes_};
    });
  }

  fs::path marker() const { return folder_.path() / "marker"; }

  // This host's compiler, replaced.
  void WriteLock(const std::string& source, const std::string& path) {
    for (specs::LockedCompiler& compiler : lock_.compilers) {
      if (compiler.host != specs::HostPlatform()) continue;
      for (specs::LockedPackage& package : compiler.packages) {
        if (package.name != "python3.11-minimal") continue;
        package.sha256 = specs::HashOf(bytes_);
        package.size = bytes_.size();
        package.source = source;
        package.path = path;
      }
    }
    Write("small.lock", specs::RenderLock(lock_));
  }
  // "build --locked", with the archive's key among the user's own.
  Ended BuildLocked() {
    fs::create_directories(project() / ".config/imgbuild");
    Write(".config/imgbuild/config.toml",
          fmt::format("[debian]\nkeyring = \"{}\"\n", (project() / "archive.gpg").string()));
    Invocation run = Build();
    run.arguments.emplace_back("--locked");
    return whole_build::Execute(world_, run);
  }

  specs::Lock lock_;
  std::string bytes_;
};

constexpr char kUnsigned[] = "in no signed package list";

TEST_F(HostileLock, ACompilerFromAnywhereElseIsNoLock) {
  const std::vector<std::pair<std::string, std::string>> places = {
      {"local", "evil.deb"}, {"artifact", "http://files.example/evil/python3.11-minimal.deb"}};
  for (const auto& [source, path] : places) {
    WriteLock(source, path);
    const Ended ended = BuildLocked();
    EXPECT_EQ(ended.status, kUsage) << ended.output;
    EXPECT_THAT(ended.output, HasSubstr(fmt::format("source is \"{}\"", source)));
    EXPECT_FALSE(fs::exists(marker())) << source;
  }
}

// The spec may name a mirror that serves it, too.
TEST_F(HostileLock, ACompilerThatNoSignedListHasDoesNotReachTheMachine) {
  WriteLock("bookworm/main", kPath);
  const Ended ended = BuildLocked();
  EXPECT_NE(ended.status, 0) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr(kUnsigned));
  EXPECT_FALSE(fs::exists(marker())) << ended.output;
  ExpectNothingLeft();
  ExpectSoundCache();
}

// Keys come with the repository as well: only the user's own vouch for what runs here.
TEST_F(HostileLock, TheSpecsOwnKeysVouchForNothing) {
  const Ended theirs = whole_build::Execute(world_, Build());
  EXPECT_THAT(theirs.output, HasSubstr(kUnsigned));
  fs::remove_all(cache());
  world_.SetFault({});
  const Ended ours = BuildLocked();
  EXPECT_THAT(ours.output, Not(HasSubstr(kUnsigned)));
  EXPECT_THAT(ours.output, HasSubstr("the Python that compiles .pyc files"));  // it is none
  EXPECT_FALSE(fs::exists(marker()));
}

}  // namespace
}  // namespace imgbuild::bad_input
