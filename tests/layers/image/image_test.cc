#include "layers/image/image.h"

#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layers/image/archive_output.h"
#include "layers/image/image_blobs.h"
#include "layers/image/layout.h"
#include "layers/io/archive.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/oci/media_types.h"
#include "tests/layers/image/image_fixture.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::HashOf;
using testing::HasSubstr;

TEST_F(ImageTest, IsFoundAgainByItsRoot) {
  Image image = MakeImage("layer");
  EXPECT_EQ(FindImage(store_, image.root, {{image.platforms[0].plain_sizes}}), image);
  fs::remove(store_.paths().Blob(image.platforms[0].manifest.layers[0].digest));
  EXPECT_FALSE(FindImage(store_, image.root, {{image.platforms[0].plain_sizes}}));
}

TEST_F(ImageTest, DamagedDocumentsArePublishedAgain) {
  const Image image = MakeImage("layer");
  for (const specs::Descriptor& document :
       {image.platforms[0].manifest.config, image.platforms[0].descriptor}) {
    Overwrite(store_.paths().Blob(document.digest), "[");
    EXPECT_FALSE(FindImage(store_, image.root, {{image.platforms[0].plain_sizes}}));
    EXPECT_EQ(MakeImage("layer"), image);
    EXPECT_EQ(FindImage(store_, image.root, {{image.platforms[0].plain_sizes}}), image);
  }
}

TEST_F(ImageTest, DocumentsThatAreNotOursAreNotFound) {
  store_.PutBlob(HashOf("[]"), "[]");
  const specs::Descriptor root{
      .media_type = std::string(specs::kOciIndex), .digest = HashOf("[]"), .size = 2};
  EXPECT_FALSE(FindImage(store_, root, {}));
}

TEST_F(ImageTest, RecheckRemovesWhatIsDamaged) {
  const Image image = MakeImage("layer");
  EXPECT_TRUE(RecheckImage(store_, image));
  Overwrite(store_.paths().Blob(LayerOf(image)), "LAYER");
  EXPECT_FALSE(RecheckImage(store_, image));
  EXPECT_FALSE(store_.FindBlob(LayerOf(image), 5));
  MakeImage("layer");
  EXPECT_TRUE(RecheckImage(store_, image));
}

TEST_F(ImageTest, RecheckMissesOnlyWhatHasToBeThere) {
  Image image = MakeImage("layer");
  const auto remove = [&] { fs::remove(store_.paths().Blob(LayerOf(image))); };
  remove();
  EXPECT_FALSE(RecheckImage(store_, image));
  EXPECT_TRUE(RecheckImage(store_, image, AbsentBlobs::kAllowed));
  image.platforms[0].base_layers = 1;
  EXPECT_TRUE(RecheckImage(store_, image));
  // What is there must be right all the same.
  MakeImage("layer");
  Overwrite(store_.paths().Blob(LayerOf(image)), "LAYER");
  EXPECT_FALSE(RecheckImage(store_, image, AbsentBlobs::kAllowed));
  EXPECT_TRUE(RecheckImage(store_, image));
  fs::remove(store_.paths().Blob(image.root.digest));
  EXPECT_FALSE(RecheckImage(store_, image, AbsentBlobs::kAllowed));
}

TEST_F(ImageTest, WhatIsDamagedInTheStoreIsRemoved) {
  const Image image = MakeImage("layer");
  ImageSource source = SourceOf(image, store_);
  EXPECT_FALSE(RemoveDamaged(store_, source));
  Overwrite(store_.paths().Blob(LayerOf(image)), "LAYER");
  EXPECT_TRUE(RemoveDamaged(store_, source));
  EXPECT_FALSE(store_.FindBlob(LayerOf(image), 5));
  EXPECT_FALSE(RemoveDamaged(store_, source));  // what is missing is not damaged
  // Nor is what lies elsewhere any of the store's business.
  MakeImage("layer");
  Overwrite(store_.paths().Blob(LayerOf(image)), "LAYER");
  for (SourceBlob& blob : source.blobs) blob.path = folder_.path() / "elsewhere";
  EXPECT_FALSE(RemoveDamaged(store_, source));
}

TEST_F(ImageTest, SeveralPlatformsGetAnIndex) {
  specs::ImageConfig arm{.platform = {specs::Architecture::kArm64}};
  Image image = PublishImage(store_,
                             {PublishPlatform(store_, {}, {PutLayer("a")}, {}),
                              PublishPlatform(store_, arm, {PutLayer("b")}, {})},
                             {{"k", "v"}});
  EXPECT_EQ(image.root.media_type, specs::kOciIndex);
  EXPECT_EQ(image.Blobs().size(), 7u);
  EXPECT_EQ(FindImage(store_, image.root,
                      {{image.platforms[0].plain_sizes}, {image.platforms[1].plain_sizes}}),
            image);
}

TEST_F(ImageTest, OciArchiveIsALayoutInATar) {
  Image image = MakeImage("layer");
  const fs::path file = folder_.path() / "x.tar";
  WriteOciArchive(store_, image, file, {"latest"});
  const std::string first = ReadFile(file);
  WriteOciArchive(store_, image, file, {"latest"});
  EXPECT_EQ(ReadFile(file), first);
  FileSource source(file);
  ArchiveReader reader(source, ArchiveFormat::kTar);
  std::vector<std::string> paths;
  while (auto entry = reader.Next()) paths.push_back(entry->path);
  ASSERT_EQ(paths.size(), 5u);
  EXPECT_EQ(paths[0], "oci-layout");
  EXPECT_EQ(paths[1], "index.json");
}

TEST_F(ImageTest, DockerArchiveHasPlainLayers) {
  Image image = MakeImage("plain layer");
  const fs::path file = folder_.path() / "x.tar";
  WriteDockerArchive(store_, image.platforms[0], file, {"name:tag"});
  FileSource source(file);
  ArchiveReader reader(source, ArchiveFormat::kTar);
  std::map<std::string, std::string> files;
  while (auto entry = reader.Next()) files[entry->path] = ReadAll(reader.Data());
  EXPECT_EQ(files.at(HashOf("plain layer").Hex() + ".tar"), "plain layer");
  EXPECT_THAT(files.at("manifest.json"), HasSubstr(R"("RepoTags":["name:tag"])"));
}

TEST_F(ImageTest, ArchivesTellHowFarTheyAre) {
  const Image image = MakeImage(std::string(1'000'000, 'x'));
  const fs::path file = folder_.path() / "x.tar";
  CountingMeter oci;
  WriteOciArchive(store_, image, file, {"latest"}, &oci);
  std::uint64_t blobs = 0;
  for (const specs::Descriptor& blob : image.Blobs()) blobs += blob.size;
  EXPECT_EQ(oci.begun, 1);
  EXPECT_EQ(oci.expected, blobs);
  EXPECT_EQ(oci.written.load(), blobs);

  PlatformImage platform = image.platforms[0];
  CountingMeter docker;
  WriteDockerArchive(store_, platform, file, {"name:tag"}, &docker);
  EXPECT_EQ(docker.begun, 1);
  EXPECT_EQ(docker.expected, 1'000'000 + platform.manifest.config.size);
  EXPECT_EQ(docker.written.load(), docker.expected);
  platform.plain_sizes = {0};  // not known
  CountingMeter uncertain;
  WriteDockerArchive(store_, platform, file, {"name:tag"}, &uncertain);
  EXPECT_EQ(uncertain.expected, 0u);
  EXPECT_EQ(uncertain.written.load(), docker.written.load());
}

// What is damaged is found while it is copied, removed from the store and made again.
TEST_F(ImageTest, ArchivesOfDamagedBlobsAreRefusedAndHeal) {
  const Image image = MakeImage("layer");
  const fs::path file = folder_.path() / "x.tar";
  auto write_oci = [&] { WriteOciArchive(store_, image, file, {"latest"}); };
  auto write_docker = [&] { WriteDockerArchive(store_, image.platforms[0], file, {"name:tag"}); };
  for (const specs::Descriptor& blob :
       {image.platforms[0].manifest.layers[0], image.platforms[0].manifest.config}) {
    for (const std::function<void()>& write : {std::function<void()>(write_oci), {write_docker}}) {
      Overwrite(store_.paths().Blob(blob.digest), "@");
      try {
        write();
        ADD_FAILURE();
      } catch (const specs::Error& error) {
        EXPECT_EQ(error.kind(), specs::ErrorKind::kVerification);
        EXPECT_THAT(error.what(), HasSubstr(blob.digest.Oci()));
      }
      EXPECT_FALSE(fs::exists(file));
      EXPECT_FALSE(store_.FindBlob(blob.digest, blob.size));
      MakeImage("layer");
      write();
      fs::remove(file);
    }
  }
}

TEST_F(ImageTest, DockerArchivesNeedADiffIdForEachLayer) {
  const fs::path file = folder_.path() / "x.tar";
  PlatformImage image = MakeImage("layer").platforms[0];
  image.config.diff_ids.push_back(HashOf("another"));
  EXPECT_THROW(WriteDockerArchive(store_, image, file, {"name:tag"}), specs::Error);
  image.config.diff_ids.clear();
  EXPECT_THROW(WriteDockerArchive(store_, image, file, {"name:tag"}), specs::Error);
  image.config.diff_ids.push_back(HashOf("wrong"));
  EXPECT_THROW(WriteDockerArchive(store_, image, file, {"name:tag"}), specs::Error);
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(ImageTest, ALostBlobLeavesNoOutputBehind) {
  Image image = MakeImage("layer");
  fs::remove(store_.paths().Blob(image.platforms[0].manifest.layers[0].digest));
  const fs::path file = folder_.path() / "x.tar";
  EXPECT_THROW(WriteOciArchive(store_, image, file, {"latest"}), specs::Error);
  EXPECT_FALSE(fs::exists(file));
}

}  // namespace
}  // namespace imgbuild::layers
