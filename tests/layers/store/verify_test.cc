#include <atomic>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "layers/store/store.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::HashOf;

class VerifyTest : public testing::Test {
 protected:
  fs::path PutTree(const std::string& key) {
    const fs::path made = store_.NewDirectory();
    fs::create_directories(made / "bin");
    std::ofstream(made / "bin" / "python") << "program";
    fs::create_symlink("python", made / "bin" / "python3");
    return store_.PutTree(HashOf(key), made);
  }

  support::TempFolder folder_;
  Store store_{folder_.path() / "cache"};
};

TEST_F(VerifyTest, WholeTreesStay) {
  PutTree("a");
  EXPECT_TRUE(store_.Verify().empty());
  EXPECT_TRUE(store_.FindTree(HashOf("a")));
}

TEST_F(VerifyTest, ChangedTreesGoAndCanBePutAgain) {
  std::ofstream(PutTree("content") / "bin" / "python", std::ios::app) << "x";
  std::ofstream(PutTree("more") / "bin" / "sh") << "x";
  fs::remove(PutTree("less") / "bin" / "python3");
  fs::permissions(PutTree("rights") / "bin" / "python", fs::perms(0755));
  PutTree("unrecorded");
  fs::remove(store_.paths().TreeDigest(HashOf("unrecorded")));
  PutTree("whole");
  EXPECT_EQ(store_.Verify().size(), 5u);
  for (const char* key : {"content", "more", "less", "rights", "unrecorded"}) {
    EXPECT_FALSE(store_.FindTree(HashOf(key))) << key;
    PutTree(key);
  }
  EXPECT_TRUE(store_.FindTree(HashOf("whole")));
  EXPECT_TRUE(store_.Verify().empty());
}

TEST_F(VerifyTest, EntriesThatVanishMeanwhileArePassedOver) {
  std::atomic<bool> stop = false;
  std::thread others([&] {
    for (int i = 0; !stop; i = (i + 1) % 64) {
      const std::string text = std::to_string(i);
      std::error_code ignored;
      if (!fs::remove(store_.paths().Blob(HashOf(text)), ignored)) {
        store_.PutAction(HashOf(text), text);
        fs::remove_all(store_.paths().Actions() / HashOf(text).Hex().substr(0, 2), ignored);
        try {
          auto file = store_.NewFile();
          file->Write(text);
          fs::create_directories(store_.paths().Blob(HashOf(text)).parent_path());
          file->PublishUnsynced(store_.paths().Blob(HashOf(text)));
        } catch (const std::exception&) {
        }
      }
    }
  });
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(store_.Verify().empty());
  stop = true;
  others.join();
}

TEST_F(VerifyTest, ReportsEachDamagedEntryOnce) {
  const fs::path odd = store_.paths().Blob(HashOf("odd"));
  store_.PutBlob(HashOf("odd"), "odd");
  fs::permissions(odd, fs::perms(0644));
  std::ofstream(odd) << "even";
  const std::vector<StoreFault> faults = store_.Verify();
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(faults[0].path, odd);
  EXPECT_EQ(faults[0].kept_because, "");
  EXPECT_TRUE(store_.Verify().empty());
}

}  // namespace
}  // namespace imgbuild::layers
