#include "builder/assemble/package_stage.h"

#include <fstream>
#include <random>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "layers/io/file.h"
#include "tests/builder/assemble/packages_fixture.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using specs::Error;
using specs::ErrorKind;
using support::MakeDeb;
using support::MakeWheel;
using testing::HasSubstr;

class PackageStage : public testing::Test {
 protected:
  PackageMaker Maker(layers::Executor& executor, layers::Store& store) {
    return PackageMaker(store, *codec_, executor, nullptr,
                        {.suite = specs::Suite::kBookworm,
                         .python = "3.11",
                         .compiler_id = "none",
                         .compile = specs::Compile::kNone});
  }

  std::vector<ReadyPackage> Prepare(std::size_t threads,
                                    NetworkPolicy network = NetworkPolicy::kAllowed) {
    layers::ThreadExecutor executor(threads);
    PackageMaker maker = Maker(executor, packages_.store);
    Fetcher fetcher = packages_.MakeFetcher(network);
    return PreparePackages(locked_, maker, {fetcher, executor, packages_.progress});
  }

  // The message of the failure, with one thread and with four: no thread may be left waiting.
  std::string Failure(std::size_t threads = 1) {
    try {
      Prepare(threads);
    } catch (const Error& error) {
      kind_ = error.kind();
      return error.what();
    }
    ADD_FAILURE() << "no failure";
    return "";
  }

  Packages packages_;
  specs::LockedPlatform locked_;
  std::unique_ptr<const layers::Codec> codec_ = layers::MakeCodec(layers::Compression::kZstd);
  ErrorKind kind_ = ErrorKind::kUsage;
};

TEST_F(PackageStage, KeepsTheLocksOrderWhateverArrivesFirst) {
  AddDebs(packages_, locked_, 20);
  MakeWheel wheel;
  wheel.members = {{"demo/__init__.py", "x = 1\n"}};
  packages_.Add(locked_, wheel);
  const std::vector<ReadyPackage> ready = Prepare(4);
  ASSERT_EQ(ready.size(), 21u);
  for (std::size_t i = 0; i < ready.size(); ++i) {
    EXPECT_EQ(ready[i].locked, &locked_.packages[i]);
    EXPECT_EQ(ready[i].facts.name, locked_.packages[i].name);
    EXPECT_TRUE(ready[i].made);
    EXPECT_TRUE(fs::exists(ready[i].frame_path)) << ready[i].facts.name;
  }
}

TEST_F(PackageStage, TakesFromTheStoreWhatIsThereAndAsksNobody) {
  AddDebs(packages_, locked_, 8);
  const std::vector<ReadyPackage> first = Prepare(2);
  packages_.http.ForgetRequests();
  packages_.locator.prepare_fails = "nobody asked";
  const std::vector<ReadyPackage> again = Prepare(2, NetworkPolicy::kForbidden);
  EXPECT_TRUE(packages_.http.requests().empty());
  for (std::size_t i = 0; i < again.size(); ++i) {
    EXPECT_FALSE(again[i].made);
    EXPECT_EQ(again[i].frame, first[i].frame);
    EXPECT_EQ(again[i].facts, first[i].facts);
    EXPECT_EQ(again[i].frame_path, first[i].frame_path);
  }
}

TEST_F(PackageStage, MakesTheSameFramesOnOneThreadAndOnMany) {
  AddDebs(packages_, locked_, 12);
  const std::vector<ReadyPackage> one = Prepare(1);
  Packages other;
  specs::LockedPlatform locked;
  AddDebs(other, locked, 12);
  layers::ThreadExecutor executor(8);
  PackageMaker maker = Maker(executor, other.store);
  Fetcher fetcher = other.MakeFetcher();
  const std::vector<ReadyPackage> many =
      PreparePackages(locked, maker, {fetcher, executor, other.progress});
  for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i].frame, many[i].frame);
}

// What waits for downloads must end though none was started.
TEST_F(PackageStage, EndsWithTheLocatorsErrorWherePreparingFails) {
  for (std::size_t threads : {1u, 4u}) {
    Packages fresh;
    locked_.packages.clear();
    AddDebs(fresh, locked_, 6);
    // Some are there: their tasks are given while the others' failure is told.
    for (std::size_t i : {1u, 4u}) fresh.MakeFetcher().FetchNow(locked_.packages[i]);
    fresh.locator.prepare_fails = "the index does not answer";
    layers::ThreadExecutor executor(threads);
    PackageMaker maker = Maker(executor, fresh.store);
    Fetcher fetcher = fresh.MakeFetcher();
    try {
      PreparePackages(locked_, maker, {fetcher, executor, fresh.progress});
      FAIL() << "no failure";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("the index does not answer"));
    }
  }
}

TEST_F(PackageStage, EndsWithTheErrorOfOneDownload) {
  AddDebs(packages_, locked_, 10);
  packages_.http.Break(packages_.Url(locked_.packages[5]), "connection refused");
  for (std::size_t threads : {1u, 4u}) {
    EXPECT_THAT(Failure(threads), HasSubstr("connection refused"));
  }
}

TEST_F(PackageStage, EndsWithTheErrorOfOneLocalWheel) {
  AddDebs(packages_, locked_, 10);
  for (std::size_t i : {2u, 7u}) locked_.packages[i].source = "local";
  for (std::size_t threads : {1u, 4u}) {
    EXPECT_THAT(Failure(threads),
                HasSubstr("is a local wheel in the lock, but the spec names none"));
  }
}

TEST_F(PackageStage, EndsWithTheErrorOfAnArchiveThatIsNone) {
  AddDebs(packages_, locked_, 10);
  specs::LockedPackage& bad = locked_.packages[3];
  const std::string bytes = "no archive at all";
  bad.sha256 = specs::HashOf(bytes);
  bad.size = bytes.size();
  packages_.http.Serve(packages_.Url(bad), bytes);
  for (std::size_t threads : {1u, 4u}) EXPECT_THAT(Failure(threads), HasSubstr(bad.name));
}

TEST_F(PackageStage, ADamagedArchiveInTheCacheIsFetchedAgainOnce) {
  AddDebs(packages_, locked_, 6);
  for (const specs::LockedPackage& package : locked_.packages) {
    const fs::path path = packages_.MakeFetcher().FetchNow(package);
    std::ofstream(path, std::ios::binary) << std::string(package.size, 'x');
  }
  EXPECT_EQ(Prepare(2).size(), 6u);
  for (const specs::LockedPackage& package : locked_.packages) {
    EXPECT_EQ(packages_.http.Count(packages_.Url(package)), 2);
  }
}

// What a disk gets wrong by itself, with the file's times as they were.
TEST_F(PackageStage, DamageThatTheFileDoesNotShowIsFoundByTheChecksumsInside) {
  MakeWheel wheel;
  wheel.members = {{"demo/__init__.py", std::string(2000, '#')}};
  const specs::LockedPackage& package = packages_.Add(locked_, wheel);
  const fs::path path = packages_.MakeFetcher().FetchNow(package);
  std::string bytes = layers::ReadFile(path);
  bytes[bytes.find("####") + 1000] = '$';
  std::ofstream(path, std::ios::binary) << bytes;
  packages_.store.NoteVerified(package.sha256, *layers::FileStamp::Of(path));
  ASSERT_TRUE(packages_.store.IsVerified(package.sha256));
  EXPECT_EQ(Prepare(2).size(), 1u);
  EXPECT_EQ(packages_.http.Count(packages_.Url(package)), 2);
}

TEST_F(PackageStage, AWheelsRecordIsVerifiedOnce) {
  MakeWheel wheel;
  wheel.members = {{"demo/__init__.py", "x = 1\n"}};
  const specs::LockedPackage& package = packages_.Add(locked_, wheel);
  packages_.MakeFetcher().FetchNow(package);
  EXPECT_FALSE(packages_.store.IsRecordVerified(package.sha256));
  const std::vector<ReadyPackage> first = Prepare(1);
  EXPECT_TRUE(packages_.store.IsRecordVerified(package.sha256));
  fs::remove_all(packages_.store.paths().root() / "packages");
  const std::vector<ReadyPackage> again = Prepare(1);
  EXPECT_TRUE(again[0].made);
  EXPECT_EQ(again[0].frame, first[0].frame);
  EXPECT_EQ(again[0].facts, first[0].facts);
}

TEST_F(PackageStage, AWheelOfWhichRecordIsWrongIsNotVerified) {
  MakeWheel wheel;
  wheel.members = {{"demo/__init__.py", "x = 1\n"}};
  const std::string nothing = "sha256=" + std::string(43, 'A') + ",\n";
  wheel.record = "demo/__init__.py," + nothing + "demo-1.0.dist-info/METADATA," + nothing +
                 "demo-1.0.dist-info/WHEEL," + nothing;
  const specs::LockedPackage& package = packages_.Add(locked_, wheel);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(Failure(), HasSubstr("is not as RECORD says"));
    EXPECT_FALSE(packages_.store.IsRecordVerified(package.sha256));
  }
}

TEST_F(PackageStage, AnArchiveThatChangedIsHashedOnceMore) {
  AddDebs(packages_, locked_, 1);
  const specs::LockedPackage& package = locked_.packages[0];
  const fs::path path = packages_.MakeFetcher().FetchNow(package);
  EXPECT_TRUE(packages_.store.IsVerified(package.sha256));
  usleep(20'000);  // the clock of file times is coarse
  fs::last_write_time(path, fs::file_time_type::clock::now());
  EXPECT_FALSE(packages_.store.IsVerified(package.sha256));
  EXPECT_EQ(Prepare(1).size(), 1u);
  EXPECT_TRUE(packages_.store.IsVerified(package.sha256));
  EXPECT_EQ(packages_.http.Count(packages_.Url(package)), 1);
}

// Text that compresses well, so that nothing but the archive's size asks for the lighter level.
TEST_F(PackageStage, AWheelAbove40MegabytesIsCompressedLess) {
  std::mt19937 random(5);
  std::string text;
  while (text.size() < 41u << 20) text += "word" + std::to_string(random() % 5000) + " ";
  double ratios[2] = {};
  for (const std::size_t size : {39u << 20, 41u << 20}) {
    MakeWheel wheel;
    wheel.members = {{"demo/words.txt", text.substr(0, size)}};
    Packages fresh;
    locked_.packages.clear();
    fresh.Add(locked_, wheel);
    layers::ThreadExecutor executor(2);
    PackageMaker maker = Maker(executor, fresh.store);
    Fetcher fetcher = fresh.MakeFetcher();
    const layers::FrameRecord frame =
        PreparePackages(locked_, maker, {fetcher, executor, fresh.progress})[0].frame;
    ratios[size > 40u << 20] =
        static_cast<double>(frame.compressed_size) / static_cast<double>(frame.tar_size);
  }
  EXPECT_GT(ratios[1], ratios[0] * 1.01);
}

TEST_F(PackageStage, ADamagedArchiveThatCannotBeFetchedAgainIsAnError) {
  AddDebs(packages_, locked_, 3);
  const specs::LockedPackage& package = locked_.packages[2];
  const fs::path path = packages_.MakeFetcher().FetchNow(package);
  std::ofstream(path, std::ios::binary) << std::string(package.size, 'x');
  packages_.http.Serve(packages_.Url(package), std::string(package.size, 'y'));
  for (std::size_t threads : {1u, 4u}) {
    EXPECT_THAT(Failure(threads), HasSubstr(package.name));
    EXPECT_EQ(kind_, ErrorKind::kVerification);
  }
}

// As another version of the program may have left them.
TEST_F(PackageStage, FactsThatAreNoneAreMadeAgain) {
  AddDebs(packages_, locked_, 1);
  const ReadyPackage first = Prepare(1).at(0);
  layers::ThreadExecutor executor(1);
  PackageMaker maker = Maker(executor, packages_.store);
  packages_.store.PutPackage(maker.Key(locked_.packages[0]), first.frame, "no facts", nullptr);
  const ReadyPackage again = Prepare(1).at(0);
  EXPECT_TRUE(again.made);
  EXPECT_EQ(again.facts, first.facts);
}

TEST_F(PackageStage, WithoutANetworkNamesWhatIsMissing) {
  AddDebs(packages_, locked_, 3);
  packages_.MakeFetcher().FetchNow(locked_.packages[0]);
  try {
    Prepare(2, NetworkPolicy::kForbidden);
    FAIL() << "no failure";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("2 archives are not in the cache"));
    EXPECT_THAT(error.what(), HasSubstr(locked_.packages[1].file));
  }
}

// One archive may stand for several packages of the lock.
TEST_F(PackageStage, FetchesAnArchiveThatIsLockedTwiceOnce) {
  AddDebs(packages_, locked_, 2);
  locked_.packages.push_back(locked_.packages[1]);
  const std::vector<ReadyPackage> ready = Prepare(2);
  EXPECT_EQ(ready[1].frame, ready[2].frame);
  EXPECT_EQ(packages_.http.Count(packages_.Url(locked_.packages[1])), 1);
}

}  // namespace
}  // namespace imgbuild::builder
