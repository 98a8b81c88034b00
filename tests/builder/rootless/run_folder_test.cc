#include "builder/rootless/run_folder.h"

#include <filesystem>
#include <fstream>
#include <optional>

#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

class RunFolderTest : public testing::Test {
 protected:
  RunFolderTest() {
    std::string name = (fs::temp_directory_path() / "run-folder-XXXXXX").string();
    base_ = mkdtemp(name.data());
  }
  ~RunFolderTest() override { fs::remove_all(base_); }
  std::size_t Left() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(base_ / "runs"), fs::directory_iterator()));
  }

  fs::path base_;
};

TEST_F(RunFolderTest, EachRunHasItsOwn) {
  const RunFolder one(base_);
  const RunFolder two(base_);
  EXPECT_NE(one.path(), two.path());
  EXPECT_TRUE(fs::is_directory(one.path()));
  EXPECT_EQ(Left(), 4u);
}

TEST_F(RunFolderTest, LeavesNothingOnceRemoved) {
  {
    const RunFolder run(base_);
    std::ofstream(run.path() / "file") << "written";
    run.Remove();
    EXPECT_EQ(Left(), 0u);
  }
  EXPECT_EQ(Left(), 0u);
}

TEST_F(RunFolderTest, DeadOnesAreRemovedAndLiveOnesStay) {
  { const RunFolder killed(base_); }
  EXPECT_EQ(Left(), 2u);
  const RunFolder live(base_);
  std::ofstream(base_ / "runs/other") << "";
  RemoveDeadRuns(base_);
  EXPECT_TRUE(fs::is_directory(live.path()));
  EXPECT_TRUE(fs::exists(base_ / "runs/other"));
  EXPECT_EQ(Left(), 3u);
}

}  // namespace
}  // namespace imgbuild::builder
