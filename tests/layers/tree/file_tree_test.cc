#include "layers/tree/file_tree.h"

#include <gtest/gtest.h>

#include "layers/tree/directory_rules.h"

namespace imgbuild::layers {
namespace {

TEST(MakeFile, FillsInSizeDigestAndTime) {
  ContentFile file = MakeFile("text", 0640, 1, 2);
  EXPECT_EQ(file.node.type, NodeType::kFile);
  EXPECT_EQ(file.node.mode, 0640u);
  EXPECT_EQ(file.node.uid, 1u);
  EXPECT_EQ(file.node.gid, 2u);
  EXPECT_EQ(file.node.size, 4u);
  EXPECT_EQ(file.node.digest, specs::HashOf("text"));
  EXPECT_EQ(file.node.mtime, kFixedTime);
  EXPECT_EQ(file.content, "text");
}

TEST(MakeSymlinkAndDirectory, HaveNoSizeAndTheFixedTime) {
  EXPECT_EQ(MakeSymlink("../a").node.target, "../a");
  EXPECT_EQ(MakeSymlink("../a").node.mode, 0777u);
  EXPECT_EQ(MakeDirectory(0700, 5, 6).node.gid, 6u);
  EXPECT_EQ(MakeDirectory().node.mtime, kFixedTime);
}

TEST(DirectoryRule, KnowsTheSpecialOnesOnly) {
  EXPECT_EQ(DirectoryRule("tmp")->mode, 01777u);
  EXPECT_EQ(DirectoryRule("var/tmp")->mode, 01777u);
  EXPECT_EQ(DirectoryRule("root")->mode, 0700u);
  EXPECT_EQ(DirectoryRule("var/mail")->mode, 02775u);
  EXPECT_EQ(DirectoryRule("var/mail")->gid, 8u);
  EXPECT_EQ(DirectoryRule("usr/local")->mode, 0755u);
  EXPECT_EQ(DirectoryRule("opt/venv"), std::nullopt);
}

}  // namespace
}  // namespace imgbuild::layers
