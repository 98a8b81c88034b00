#include "builder/assemble/layer_parts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/write/tar.h"

namespace imgbuild::builder {
namespace {

using layers::ContentTree;
using layers::NodeType;
using testing::ElementsAre;

// A package of directories ("x/"), files of that many blocks, and hard links ("a=b").
class PackageOf {
 public:
  explicit PackageOf(std::vector<std::pair<std::string, std::uint64_t>> files) {
    for (const auto& [name, blocks] : files) {
      layers::FileFacts file;
      const std::size_t link = name.find('=');
      file.path = name.substr(0, link);
      if (link != std::string::npos) {
        file.node.type = NodeType::kHardlink;
        file.node.target = name.substr(link + 1);
      } else if (name.ends_with('/')) {
        file.path.pop_back();
        file.node.type = NodeType::kDirectory;
      } else {
        file.node.size = blocks * layers::kTarBlock;
      }
      if (file.node.type != NodeType::kDirectory) {
        package.frame.tar_size += layers::TarEntrySize(file.path, file.node);
      }
      package.facts.files.push_back(file);
    }
  }

  ReadyPackage package;
};

// Each layer as the paths in it.
std::vector<std::vector<std::string>> Paths(const LayerParts& parts) {
  std::vector<std::vector<std::string>> layers;
  for (const std::vector<PackagePart>& layer : parts.layers) {
    std::vector<std::string>& paths = layers.emplace_back();
    for (const PackagePart& part : layer) {
      for (const layers::FileFacts& file : part.facts->files) paths.push_back(file.path);
    }
  }
  return layers;
}

constexpr std::uint64_t kBlock = layers::kTarBlock;

TEST(SplitPackagesTest, WhatFitsStaysTogetherAndWhole) {
  PackageOf one({{"a", 3}});
  PackageOf two({{"b", 3}});
  LayerParts parts = SplitPackages({&one.package, &two.package}, 8 * kBlock);
  EXPECT_THAT(Paths(parts), ElementsAre(ElementsAre("a", "b")));
  EXPECT_TRUE(parts.layers[0][0].IsWhole());
  EXPECT_EQ(parts.layers[0][1].facts, &two.package.facts);
  EXPECT_TRUE(parts.facts.empty());
}

TEST(SplitPackagesTest, CutsBetweenPackagesFirst) {
  PackageOf one({{"a", 3}});
  PackageOf two({{"b", 3}});
  PackageOf three({{"c", 3}});
  LayerParts parts = SplitPackages({&one.package, &two.package, &three.package}, 8 * kBlock);
  EXPECT_THAT(Paths(parts), ElementsAre(ElementsAre("a", "b"), ElementsAre("c")));
}

TEST(SplitPackagesTest, CutsALargePackageBetweenFiles) {
  PackageOf large({{"d/", 0}, {"d/a", 3}, {"d/b", 3}, {"d/c", 20}, {"d/e", 1}});
  LayerParts parts = SplitPackages({&large.package}, 8 * kBlock);
  EXPECT_THAT(Paths(parts),
              ElementsAre(ElementsAre("d", "d/a", "d/b"), ElementsAre("d/c"), ElementsAre("d/e")));
  std::uint64_t at = 0;
  for (const std::vector<PackagePart>& layer : parts.layers) {
    ASSERT_EQ(layer.size(), 1u);
    EXPECT_FALSE(layer[0].IsWhole());
    EXPECT_EQ(layer[0].begin, at);
    at = layer[0].end;
  }
  EXPECT_EQ(at, large.package.frame.tar_size);
}

TEST(SplitPackagesTest, NeverPartsAHardLinkFromItsFile) {
  PackageOf linked({{"a", 3}, {"b", 3}, {"c=a", 0}, {"d", 3}});
  LayerParts parts = SplitPackages({&linked.package}, 5 * kBlock);
  EXPECT_THAT(Paths(parts), ElementsAre(ElementsAre("a", "b", "c"), ElementsAre("d")));
}

TEST(SplitPackagesTest, NoPackagesAreOneEmptyLayer) {
  EXPECT_THAT(SplitPackages({}, kBlock).layers, ElementsAre(testing::IsEmpty()));
}

TEST(SplitFilesTest, CutsByFileAndKeepsHardLinks) {
  ContentTree files;
  files["d"] = layers::MakeDirectory();
  files["d/a"] = layers::MakeFile(std::string(3 * kBlock, 'a'));
  files["d/b"] = layers::MakeFile(std::string(3 * kBlock, 'b'));
  files["d/c"].node.type = NodeType::kHardlink;
  files["d/c"].node.target = "d/a";
  std::vector<ContentTree> trees = SplitFiles(files, 5 * kBlock);
  ASSERT_EQ(trees.size(), 2u);
  EXPECT_TRUE(trees[0].contains("d"));
  EXPECT_TRUE(trees[0].contains("d/a"));
  EXPECT_TRUE(trees[0].contains("d/c"));
  EXPECT_TRUE(trees[1].contains("d/b"));
  EXPECT_EQ(trees[0].size() + trees[1].size(), files.size());
}

}  // namespace
}  // namespace imgbuild::builder
