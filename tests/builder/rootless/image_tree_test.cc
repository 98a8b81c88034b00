#include "builder/rootless/image_tree.h"

#include <chrono>
#include <filesystem>
#include <optional>

#include <gtest/gtest.h>
#include <unistd.h>

#include "builder/rootless/user_namespace.h"
#include "specs/base/error.h"
#include "specs/oci/media_types.h"
#include "tests/layers/image/tar_maker.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;

class ImageTreeTest : public testing::Test {
 protected:
  void SetUp() override {
    try {
      RunInNamespace(kMaps, [] {});
    } catch (const specs::Error& error) {
      GTEST_SKIP() << error.what();
    }
  }

  // Of one layer, with a folder that is closed to everybody but root.
  layers::PlatformImage Image() {
    const std::string layer =
        layers::TarMaker().Directory("closed").File("closed/file", "text").Bytes();
    const specs::Sha256 digest = specs::HashOf(layer);
    store_.PutBlob(digest, layer);
    layers::PlatformImage image;
    image.manifest.layers.push_back(
        {.media_type = std::string(specs::kOciLayer), .digest = digest, .size = layer.size()});
    image.config.diff_ids.push_back(digest);
    return image;
  }

  const IdMaps kMaps = SingleMaps({.uid = geteuid(), .gid = getegid()}, {.uid = 1000, .gid = 5});
  support::TempFolder folder_;
  layers::Store store_{folder_.path() / "cache"};
};

TEST_F(ImageTreeTest, GoesWholeOnceNobodyUsesIt) {
  const layers::PlatformImage image = Image();
  std::optional<ImageTree> one = FindOrMakeTree(store_, image, kMaps);
  std::optional<ImageTree> two = FindOrMakeTree(store_, image, kMaps);
  const fs::path tree = one->path;
  EXPECT_EQ(two->path, tree);
  one.reset();
  EXPECT_FALSE(RemoveImageTree(store_, tree)) << "it is in use";
  EXPECT_TRUE(fs::is_directory(tree / "closed"));
  two.reset();
  EXPECT_TRUE(RemoveImageTree(store_, tree));
  EXPECT_TRUE(fs::is_empty(tree.parent_path()));
}

TEST_F(ImageTreeTest, RemembersWhenItWasUsed) {
  const layers::PlatformImage image = Image();
  const fs::path tree = FindOrMakeTree(store_, image, kMaps).path;
  const fs::path use = store_.paths().UnpackedImageUse(TreeKey(image, kMaps));
  const auto now = fs::file_time_type::clock::now();
  fs::last_write_time(use, now - hours(1000));
  EXPECT_EQ(FindOrMakeTree(store_, image, kMaps).path, tree);
  EXPECT_GT(fs::last_write_time(use), now - hours(1));
  EXPECT_TRUE(RemoveImageTree(store_, tree));
}

TEST_F(ImageTreeTest, WhatIsLeftOfUnpackingGoesOnceNobodyIsAtIt) {
  const specs::Sha256 key = specs::HashOf("cut");
  const fs::path cut = store_.paths().UnfinishedImage(key);
  fs::create_directories(cut / "some/folder");
  {
    const layers::EntryLock unpacking = store_.Lock(layers::kUnpackingLock, key);
    EXPECT_FALSE(RemoveImageTree(store_, cut));
    EXPECT_TRUE(fs::exists(cut));
  }
  EXPECT_TRUE(RemoveImageTree(store_, cut));
  EXPECT_TRUE(fs::is_empty(cut.parent_path()));
}

}  // namespace
}  // namespace imgbuild::builder
