#include "builder/engine/host_folder.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

class LabelForTest : public testing::Test {
 protected:
  FolderLabel In(const std::string& folder, char in_force = '1') {
    const auto file = place_.path() / "enforce";
    std::ofstream(file) << in_force;
    return LabelFor(folder, "/home/ann", file);
  }

  support::TempFolder place_;
};

TEST_F(LabelForTest, OnlyWhereSelinuxIsInForce) {
  EXPECT_EQ(In("/home/ann/project", '0'), FolderLabel::kNone);
  EXPECT_EQ(LabelFor("/home/ann/project", "/home/ann", place_.path() / "missing"),
            FolderLabel::kNone);
}

TEST_F(LabelForTest, AFolderOfItsOwnIsRelabelled) {
  EXPECT_EQ(In("/home/ann/project"), FolderLabel::kRelabel);
  EXPECT_EQ(In("/srv/data/project/"), FolderLabel::kRelabel);
}

TEST_F(LabelForTest, HomesAndTheSystemsFoldersKeepTheirLabels) {
  for (const char* folder : {"/home/ann", "/home/ann/", "/home", "/", "/usr", "/home/ann/x/.."}) {
    EXPECT_EQ(In(folder), FolderLabel::kDisable) << folder;
  }
}

}  // namespace
}  // namespace imgbuild::builder
