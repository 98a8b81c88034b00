#include "layers/store/stale.h"

#include <chrono>
#include <fstream>
#include <future>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "layers/store/store.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::HashOf;
using std::chrono::hours;

class StaleTest : public testing::Test {
 protected:
  void SetUp() override { Store store(root_); }

  void Age(const fs::path& path, hours age) {
    fs::last_write_time(path, fs::file_time_type::clock::now() - age);
  }
  fs::path Make(const fs::path& path, hours age) {
    std::ofstream(path) << "x";
    Age(path, age);
    return path;
  }
  // The next Store looks for everything that is stale.
  void MakeDue() { Age(paths_.Swept(), hours(25)); }

  support::TempFolder folder_;
  fs::path root_ = folder_.path() / "cache";
  StorePaths paths_{root_};
};

TEST_F(StaleTest, WhatAKilledProcessLeftGoesWithTheNext) {
  const fs::path file = Make(paths_.Temporary() / ".imgbuild-tmp-1", hours(0));
  fs::create_directories(paths_.Temporary() / ".imgbuild-tmp-2/deeper");
  { Store store(root_); }
  EXPECT_TRUE(fs::is_empty(paths_.Temporary()));
}

TEST_F(StaleTest, WhatAnotherProcessMakesStays) {
  auto first = std::make_unique<Store>(root_);
  const auto file = first->NewFile();
  const fs::path folder = first->NewDirectory();
  for (int i = 0; i < 3; ++i) Store another(root_);
  EXPECT_TRUE(fs::exists(file->temporary()));
  EXPECT_TRUE(fs::exists(folder));
  auto second = std::make_unique<Store>(root_);
  const fs::path later = second->NewDirectory();
  first.reset();
  Store third(root_);
  EXPECT_TRUE(fs::exists(later)) << "the second is still at work";
}

TEST_F(StaleTest, OldPartialDownloadsGoYoungOnesStay) {
  const fs::path old = Make(paths_.PartialDownload(HashOf("old")), hours(15 * 24));
  const fs::path young = Make(paths_.PartialDownload(HashOf("young")), hours(13 * 24));
  const fs::path foreign = Make(paths_.Partial() / "notes", hours(15 * 24));
  MakeDue();
  Store store(root_);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young));
  EXPECT_TRUE(fs::exists(foreign));
}

TEST_F(StaleTest, ADownloadThatIsHeldIsNotTaken) {
  Store store(root_);
  auto partial = store.OpenDownload(HashOf("held"));
  partial->Write(std::string_view("half"));
  Age(paths_.PartialDownload(HashOf("held")), hours(15 * 24));
  Age(paths_.DownloadLock(HashOf("held")), hours(15 * 24));
  MakeDue();
  Store another(root_);
  EXPECT_TRUE(fs::exists(paths_.PartialDownload(HashOf("held"))));
  EXPECT_TRUE(fs::exists(paths_.DownloadLock(HashOf("held"))));
  partial->Publish();
  EXPECT_TRUE(store.FindDownload(HashOf("held")));
}

TEST_F(StaleTest, OldLocksGoThoseInUseAndYoungOnesStay) {
  const fs::path old = Make(paths_.Lock("layer", HashOf("old")), hours(48));
  const fs::path young = Make(paths_.Lock("layer", HashOf("young")), hours(1));
  const EntryLock held(paths_.Lock("layer", HashOf("held")));
  Age(paths_.Lock("layer", HashOf("held")), hours(48));
  MakeDue();
  Store store(root_);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young));
  EXPECT_TRUE(fs::exists(paths_.Lock("layer", HashOf("held"))));
}

TEST_F(StaleTest, IsLookedForOnceADay) {
  const fs::path old = Make(paths_.PartialDownload(HashOf("old")), hours(15 * 24));
  { Store store(root_); }
  EXPECT_TRUE(fs::exists(old));
  Age(paths_.Swept(), hours(-1));  // the clock was put back
  { Store store(root_); }
  EXPECT_FALSE(fs::exists(old));
}

TEST_F(StaleTest, WhoWaitedForARemovedLockLocksItsSuccessor) {
  const fs::path file = paths_.Lock("layer", HashOf("x"));
  auto first = EntryLock::Try(file);
  ASSERT_TRUE(first);
  auto waiting = std::async(std::launch::async, [&] { return EntryLock(file); });
  EXPECT_EQ(waiting.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  EntryLock::Remove(*std::move(first), file);
  const EntryLock second = waiting.get();
  EXPECT_TRUE(fs::exists(file));
  EXPECT_FALSE(EntryLock::Try(file));
}

TEST_F(StaleTest, ALockThatIsSharedIsNobodysAlone) {
  const fs::path file = paths_.Lock("layer", HashOf("x"));
  std::optional<EntryLock> one = EntryLock::Share(file);
  std::optional<EntryLock> two = EntryLock::Share(file);
  EXPECT_FALSE(EntryLock::Try(file));
  one.reset();
  EXPECT_FALSE(EntryLock::Try(file));
  two.reset();
  EXPECT_TRUE(EntryLock::Try(file));
}

// Lockers and a remover at the same time: nobody is ever inside with another.
TEST_F(StaleTest, RemovingLocksKeepsThemExclusive) {
  const fs::path file = paths_.Lock("layer", HashOf("x"));
  std::atomic<int> inside = 0;
  std::atomic<bool> wrong = false;
  std::atomic<bool> stop = false;
  std::thread remover([&] {
    while (!stop) {
      if (auto lock = EntryLock::Try(file)) EntryLock::Remove(*std::move(lock), file);
    }
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 300; ++k) {
        const EntryLock lock(file);
        if (++inside != 1) wrong = true;
        std::this_thread::yield();
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop = true;
  remover.join();
  EXPECT_FALSE(wrong);
}

}  // namespace
}  // namespace imgbuild::layers
