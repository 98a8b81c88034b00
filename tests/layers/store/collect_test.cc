#include "layers/store/collect.h"

#include <chrono>
#include <fstream>
#include <optional>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "layers/store/entry_lock.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::HashOf;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kDay = 24 * 3600;

class CollectTest : public testing::Test {
 protected:
  static void Age(const fs::path& path, std::int64_t days) {
    timespec time{.tv_sec = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()) -
                            days * kDay,
                  .tv_nsec = 0};
    const timespec times[] = {time, time};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }
  fs::path PutBlob(const std::string& content, std::int64_t days) {
    store_->PutBlob(HashOf(content), content);
    Age(store_->paths().Blob(HashOf(content)), days);
    return store_->paths().Blob(HashOf(content));
  }
  fs::path PutAction(const std::string& key, std::int64_t days) {
    store_->PutAction(HashOf(key), "result");
    Age(store_->paths().Action(HashOf(key)), days);
    return store_->paths().Action(HashOf(key));
  }
  // Unpacked, last run so many days ago.
  fs::path PutImage(const std::string& key, std::int64_t days) {
    const fs::path tree = store_->paths().UnpackedImage(HashOf(key));
    fs::create_directories(tree / "bin");
    std::ofstream(tree / "bin/tool") << "program";
    const fs::path use = store_->paths().UnpackedImageUse(HashOf(key));
    std::ofstream(use) << "";
    Age(use, days);
    return tree;
  }
  static std::int64_t Now() {
    return std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  }
  static std::vector<fs::path> Names(const CollectPlan& plan) {
    std::vector<fs::path> names;
    for (const CacheEntry& entry : plan.remove) {
      names.insert(names.end(), entry.names.begin(), entry.names.end());
    }
    return names;
  }
  CollectPlan Plan(const CollectLimits& limits, const std::set<specs::Sha256>& in_use = {}) {
    return Collector(*store_).Plan(limits, in_use, Now());
  }

  support::TempFolder folder_;
  std::optional<Store> store_{folder_.path() / "cache"};
};

TEST_F(CollectTest, WhatIsOlderGoesOldestFirst) {
  const fs::path old = PutBlob("old", 40);
  const fs::path older = PutAction("older", 50);
  const fs::path young = PutBlob("young", 20);
  const CollectPlan plan = Plan({.max_age = 30 * kDay});
  EXPECT_THAT(Names(plan), ElementsAre(older, old));
  EXPECT_TRUE(fs::exists(old)) << "a plan changes nothing";
  EXPECT_EQ(Collector(*store_).Remove(plan), plan.removed);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_FALSE(fs::exists(older));
  EXPECT_TRUE(fs::exists(young));
}

TEST_F(CollectTest, TheOldestGoUntilTheSizeIsReached) {
  const std::string kilobyte(1000, 'a');
  std::vector<fs::path> blobs;
  for (int i = 0; i < 5; ++i) blobs.push_back(PutBlob(kilobyte + std::to_string(i), 10 - i));
  const CollectPlan plan = Plan({.max_size = 3003});
  EXPECT_EQ(plan.size, 5005u);
  EXPECT_THAT(Names(plan), ElementsAre(blobs[0], blobs[1]));
  EXPECT_THAT(Names(Plan({.max_size = 5005})), IsEmpty());
  EXPECT_EQ(Plan({.max_size = 0}).removed, 5005u);
}

TEST_F(CollectTest, WhatIsInUseStays) {
  const fs::path used = PutBlob("used", 400);
  const fs::path other = PutBlob("other", 300);
  const CollectPlan plan = Plan({.max_size = 0, .max_age = kDay}, {HashOf("used")});
  EXPECT_THAT(Names(plan), ElementsAre(other));
  EXPECT_EQ(plan.in_use, 4u);
}

// A heavy package's frame is its layer's blob.
TEST_F(CollectTest, AFileOfTwoNamesIsOne) {
  const auto file = store_->NewFile();
  file->Write(std::string_view("layer"));
  store_->PutFrame(HashOf("layer"), *file);
  if (!store_->PutFrameAsBlob(HashOf("layer"))) GTEST_SKIP() << "no hard links here";
  const fs::path frame = store_->paths().Frame(HashOf("layer"));
  const fs::path blob = store_->paths().Blob(HashOf("layer"));
  Age(frame, 40);
  const CollectPlan plan = Plan({.max_age = 30 * kDay});
  EXPECT_THAT(Names(plan), ElementsAre(frame, blob));
  EXPECT_EQ(plan.size, 5u);
  EXPECT_THAT(Names(Plan({.max_age = 30 * kDay}, {HashOf("layer")})), IsEmpty());
  Collector(*store_).Remove(plan);
  EXPECT_FALSE(fs::exists(frame));
  EXPECT_FALSE(fs::exists(blob));
}

TEST_F(CollectTest, TreesGoWhole) {
  const fs::path made = store_->NewDirectory();
  fs::create_directories(made / "bin");
  std::ofstream(made / "bin/python") << "program";
  const fs::path tree = store_->PutTree(HashOf("tree"), made);
  Age(tree / "bin/python", 40);
  const CollectPlan plan = Plan({.max_age = 30 * kDay});
  EXPECT_THAT(Names(plan), ElementsAre(tree, store_->paths().TreeDigest(HashOf("tree"))));
  Collector(*store_).Remove(plan);
  EXPECT_FALSE(store_->FindTree(HashOf("tree")));
  EXPECT_TRUE(fs::is_empty(store_->paths().Temporary()));
  EXPECT_TRUE(store_->Verify().empty());
}

TEST_F(CollectTest, UnpackedImagesGoByTheirLastRun) {
  const fs::path old = PutImage("old", 40);
  PutImage("young", 20);
  const CollectPlan plan = Plan({.max_age = 30 * kDay});
  EXPECT_THAT(Names(plan), ElementsAre(old, store_->paths().UnpackedImageUse(HashOf("old"))));
  EXPECT_EQ(plan.size, 14u);
  EXPECT_EQ(plan.removed, 7u);
  // They are removed by whoever has rights over their files.
  EXPECT_EQ(Collector(*store_).Remove(plan), 0u);
  EXPECT_TRUE(fs::exists(old / "bin/tool"));
}

TEST_F(CollectTest, UnpackedImagesThatSomethingRunsInStay) {
  const fs::path used = PutImage("used", 400);
  const fs::path use = store_->paths().UnpackedImageUse(HashOf("used"));
  {
    const EntryLock run = EntryLock::Share(use);
    const CollectPlan plan = Plan({.max_size = 0, .max_age = kDay});
    EXPECT_THAT(Names(plan), IsEmpty());
    EXPECT_EQ(plan.in_use, 7u);
  }
  EXPECT_THAT(Names(Plan({.max_age = kDay})), ElementsAre(used, use));
}

TEST_F(CollectTest, WhatIsLeftOfUnpackingGoes) {
  const fs::path cut = store_->paths().UnfinishedImage(HashOf("cut"));
  fs::create_directories(cut);
  {
    const EntryLock unpacking = store_->Lock(kUnpackingLock, HashOf("cut"));
    EXPECT_THAT(Names(Plan({.max_age = 0})), IsEmpty());
  }
  EXPECT_THAT(Names(Plan({.max_age = 0})), ElementsAre(cut));
}

TEST_F(CollectTest, WhatWasUsedSinceThePlanStays) {
  const fs::path blob = PutBlob("blob", 40);
  const fs::path other = PutBlob("other", 40);
  const CollectPlan plan = Plan({.max_age = 30 * kDay});
  Age(blob, 0);
  EXPECT_EQ(Collector(*store_).Remove(plan), 5u);
  EXPECT_TRUE(fs::exists(blob));
  EXPECT_FALSE(fs::exists(other));
}

TEST_F(CollectTest, WhereOthersWorkTheYoungStay) {
  const fs::path young = PutBlob("young", 0);
  const fs::path old = PutBlob("old", 2);
  EXPECT_THAT(Names(Plan({.max_size = 0})), ElementsAre(old, young));
  const Store other(folder_.path() / "cache");
  EXPECT_FALSE(Collector(*store_).alone());
  EXPECT_THAT(Names(Plan({.max_size = 0})), ElementsAre(old));
  // It still counts as one of them itself.
  const fs::path mine = store_->NewDirectory();
  const Store third(folder_.path() / "cache");
  EXPECT_TRUE(fs::exists(mine));
}

}  // namespace
}  // namespace imgbuild::layers
