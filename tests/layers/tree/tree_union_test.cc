#include "layers/tree/tree_union.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/tree/path.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ContentFile FileAt(std::string content, std::int64_t mtime) {
  ContentFile file = MakeFile(std::move(content));
  file.node.mtime = mtime;
  return file;
}

ContentFile HardlinkTo(std::string target) {
  ContentFile file;
  file.node.type = NodeType::kHardlink;
  file.node.target = std::move(target);
  return file;
}

TreeUnion Unite(const std::vector<ContentTree>& trees) {
  std::vector<TreeInput> inputs;
  for (std::size_t i = 0; i < trees.size(); ++i) {
    inputs.push_back({std::string(1, static_cast<char>('A' + i)), &trees[i]});
  }
  return UniteTrees(inputs);
}

std::string ErrorOf(const std::vector<ContentTree>& trees) {
  try {
    Unite(trees);
    return "";
  } catch (const specs::Error& error) {
    return error.message();
  }
}

std::vector<std::string> Paths(const std::vector<TreeEntry>& entries) {
  std::vector<std::string> paths;
  for (const TreeEntry& entry : entries) paths.push_back(entry.path);
  return paths;
}

TEST(UniteTrees, AddsAncestorsAndSortsBytewise) {
  TreeUnion result = Unite({{{"usr/lib/b", MakeFile("b")}, {"usr/lib-a", MakeFile("a")}},
                            {{"opt/x/y/z", MakeFile("z")}}});
  EXPECT_THAT(Paths(result.tree.entries()),
              ElementsAre("opt", "opt/x", "opt/x/y", "opt/x/y/z", "usr", "usr/lib", "usr/lib-a",
                          "usr/lib/b"));
  EXPECT_EQ(result.tree.Find("opt/x")->owner, 1u);
  EXPECT_EQ(result.tree.Find("usr/lib")->owner, 0u);
  EXPECT_EQ(result.tree.Find("opt/x")->node, MakeDirectory().node);
  EXPECT_EQ(result.tree.Find("opt/none"), nullptr);
  EXPECT_TRUE(result.conflicts.empty());
}

TEST(UniteTrees, DirectoriesFollowTheRuleThenTheFirstOwner) {
  ContentFile odd = MakeDirectory(0700, 9, 9);
  odd.node.mtime = 77;
  TreeUnion result =
      Unite({{{"tmp", odd}, {"srv/data", odd}}, {{"srv/data", MakeDirectory(0755)}}});
  EXPECT_EQ(result.tree.Find("tmp")->node, MakeDirectory(01777).node);
  EXPECT_EQ(result.tree.Find("srv/data")->node, MakeDirectory(0700, 9, 9).node);
  EXPECT_TRUE(result.conflicts.empty());
}

TEST(UniteTrees, EqualFilesBelongToTheFirstOwner) {
  TreeUnion result = Unite({{{"a", MakeFile("same")}}, {{"a", MakeFile("same")}}});
  EXPECT_EQ(result.tree.Find("a")->owner, 0u);
  EXPECT_TRUE(result.conflicts.empty());
}

TEST(UniteTrees, DifferentFilesAreConflictsThatTheLaterWins) {
  TreeUnion result = Unite({{{"a", FileAt("same", 1)}, {"b", MakeFile("1")}},
                            {{"a", FileAt("same", 2)}, {"b", MakeSymlink("c")}}});
  EXPECT_EQ(result.tree.Find("a")->node.mtime, 2);
  EXPECT_EQ(result.tree.Find("b")->owner, 1u);
  EXPECT_THAT(result.conflicts, ElementsAre(TreeConflict{"a", 0, 1, ConflictKind::kMetadata},
                                            TreeConflict{"b", 0, 1, ConflictKind::kContent}));
}

TEST(UniteTrees, FactsAndContentsMix) {
  PackageFacts facts;
  facts.files.push_back({"usr/bin/x", MakeFile("x").node, std::nullopt});
  ContentTree state{{"etc/x", MakeFile("y")}};
  std::vector<TreeInput> inputs{{"x", &facts}, {"state", &state}};
  TreeUnion result = UniteTrees(inputs);
  EXPECT_THAT(Paths(result.tree.entries()),
              ElementsAre("etc", "etc/x", "usr", "usr/bin", "usr/bin/x"));
  EXPECT_EQ(result.tree.owners()[1], "state");
}

TEST(UniteTrees, WhatCannotBeOneTreeIsAnErrorWithPathAndOwners) {
  EXPECT_THAT(ErrorOf({{{"a/b", MakeDirectory()}}, {{"a/b", MakeFile("")}}}),
              HasSubstr("/a/b is a directory in A and a file in B"));
  EXPECT_THAT(ErrorOf({{{"a", MakeSymlink("b")}}, {{"a/b/c", MakeFile("")}}}),
              HasSubstr("/a/b of B lies below /a, a symbolic link of A"));
  EXPECT_THAT(ErrorOf({{{"a/b/c", MakeFile("")}}, {{"a/b", MakeFile("")}}}),
              HasSubstr("/a/b/c of A lies below /a/b, a file of B"));
  EXPECT_THAT(ErrorOf({{{"../a", MakeFile("")}}}), HasSubstr("not a canonical path"));
  PackageFacts twice;
  twice.files = {{"a", MakeFile("").node, std::nullopt}, {"a", MakeFile("").node, std::nullopt}};
  std::vector<TreeInput> inputs{{"A", &twice}};
  EXPECT_THROW(UniteTrees(inputs), specs::Error);
}

TEST(UniteTrees, HardlinksNeedTheirTargetInTheSamePackage) {
  EXPECT_EQ(ErrorOf({{{"a", MakeFile("")}, {"b", HardlinkTo("a")}}}), "");
  EXPECT_THAT(ErrorOf({{{"a", MakeFile("")}}, {{"b", HardlinkTo("a")}}}),
              HasSubstr("/b of B is a hard link to /a"));
  EXPECT_THAT(ErrorOf({{{"a", MakeSymlink("c")}, {"b", HardlinkTo("a")}}}), HasSubstr("hard link"));
}

TEST(Skeleton, HoldsWhatTheOwnersBringAndItsAncestorsAlikeInEachLayer) {
  TreeUnion result = Unite({{{"usr/lib/a", MakeFile("a")}, {"var/empty", MakeDirectory(0700)}},
                            {{"usr/lib", MakeDirectory(0711)}, {"usr/share/b/c", MakeFile("b")}},
                            {{"top", MakeFile("")}}});
  std::vector<OwnerId> first{0}, second{1}, third{2};
  std::vector<TreeEntry> one = Skeleton(result.tree, first);
  std::vector<TreeEntry> two = Skeleton(result.tree, second);
  EXPECT_THAT(Paths(one), ElementsAre("usr", "usr/lib", "var", "var/empty"));
  EXPECT_THAT(Paths(two), ElementsAre("usr", "usr/lib", "usr/share", "usr/share/b"));
  EXPECT_EQ(one[1], two[1]);
  EXPECT_TRUE(Skeleton(result.tree, third).empty());
}

TEST(CheckLayers, AcceptsTheTreeAndNothingElse) {
  TreeUnion result = Unite({{{"a/x", MakeFile("1")}, {"a/y", MakeFile("1")}},
                            {{"a/x", MakeFile("2")}, {"e", MakeDirectory()}},
                            {{"a/y", MakeFile("1")}}});
  using Layers = std::vector<std::vector<OwnerId>>;
  EXPECT_NO_THROW(CheckLayers(result.tree, Layers{{0, 1, 2}}));
  EXPECT_NO_THROW(CheckLayers(result.tree, Layers{{0}, {1}, {2}}));
  EXPECT_NO_THROW(CheckLayers(result.tree, Layers{{2, 0}, {1}}));
  EXPECT_THROW(CheckLayers(result.tree, Layers{{1}, {0, 2}}), specs::Error);  // the loser on top
  EXPECT_THROW(CheckLayers(result.tree, Layers{{0, 2}}), specs::Error);       // an owner dropped
  EXPECT_THROW(CheckLayers(result.tree, Layers{}), specs::Error);
}

}  // namespace
}  // namespace imgbuild::layers
