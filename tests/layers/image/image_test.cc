#include "layers/image/image.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layers/image/archive_output.h"
#include "layers/image/layout.h"
#include "layers/io/archive.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/oci/media_types.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::HashOf;
using testing::HasSubstr;

class ImageTest : public testing::Test {
 protected:
  ImageLayer PutLayer(const std::string& plain) {
    store_.PutBlob(HashOf(plain), plain);
    return {.descriptor = {.media_type = std::string(specs::kOciLayer),
                           .digest = HashOf(plain),
                           .size = plain.size()},
            .diff_id = HashOf(plain),
            .plain_size = plain.size(),
            .created_by = "imgbuild: test"};
  }

  Image MakeImage(const std::string& content) {
    specs::ImageConfig config{.created = "1980-01-01T00:00:00Z", .workdir = "/work"};
    return PublishImage(store_, {PublishPlatform(store_, config, {PutLayer(content)}, {})}, {});
  }

  std::set<std::string> Blobs(const fs::path& layout) const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(layout / "blobs/sha256")) {
      names.insert(entry.path().filename());
    }
    return names;
  }

  support::TempFolder folder_;
  fs::path out_ = folder_.path() / "x.oci";
  Store store_{folder_.path() / "cache"};
};

TEST_F(ImageTest, IsFoundAgainByItsRoot) {
  Image image = MakeImage("layer");
  EXPECT_EQ(FindImage(store_, image.root, {image.platforms[0].plain_sizes}), image);
  fs::remove(store_.paths().Blob(image.platforms[0].manifest.layers[0].digest));
  EXPECT_FALSE(FindImage(store_, image.root, {image.platforms[0].plain_sizes}));
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
                      {image.platforms[0].plain_sizes, image.platforms[1].plain_sizes}),
            image);
}

TEST_F(ImageTest, LayoutHasEveryBlobAndTag) {
  Image image = MakeImage("layer");
  LayoutResult result = WriteLayout(store_, image, out_, {"latest", "v1"});
  EXPECT_EQ(result.blobs_placed, 3u);
  EXPECT_EQ(ReadFile(out_ / "oci-layout"), kLayoutMarker);
  specs::ImageIndex index = specs::ParseImageIndex(ReadFile(out_ / "index.json"), "index");
  ASSERT_EQ(index.manifests.size(), 2u);
  EXPECT_EQ(index.manifests[0].annotations.at(std::string(specs::kAnnotationRefName)), "latest");
  for (const specs::Descriptor& blob : image.Blobs()) {
    EXPECT_EQ(HashOf(ReadFile(out_ / "blobs/sha256" / blob.digest.Hex())), blob.digest);
  }
}

TEST_F(ImageTest, AnUnchangedLayoutIsNotTouched) {
  Image image = MakeImage("layer");
  WriteLayout(store_, image, out_, {"latest"});
  auto written = fs::last_write_time(out_ / "index.json");
  EXPECT_EQ(WriteLayout(store_, image, out_, {"latest"}).blobs_placed, 0u);
  EXPECT_EQ(fs::last_write_time(out_ / "index.json"), written);
}

TEST_F(ImageTest, AChangedBlobIsReplaced) {
  Image image = MakeImage("layer");
  WriteLayout(store_, image, out_, {"latest"});
  const specs::Sha256 digest = image.platforms[0].manifest.layers[0].digest;
  const fs::path blob = out_ / "blobs/sha256" / digest.Hex();
  std::string bytes = ReadFile(blob);
  bytes[0] = static_cast<char>(bytes[0] ^ 1);
  fs::remove(blob);
  std::ofstream(blob, std::ios::binary) << bytes;
  EXPECT_EQ(WriteLayout(store_, image, out_, {"latest"}).blobs_placed, 1u);
  EXPECT_EQ(HashOf(ReadFile(blob)), digest);
}

TEST_F(ImageTest, AMovedTagTakesItsOldBlobsAway) {
  WriteLayout(store_, MakeImage("one"), out_, {"latest"});
  std::ofstream(out_ / "blobs/sha256/foreign") << "kept";
  Image two = MakeImage("two");
  WriteLayout(store_, two, out_, {"latest"});
  EXPECT_EQ(Blobs(out_).size(), 4u);
  EXPECT_TRUE(Blobs(out_).contains("foreign"));
  WriteLayout(store_, MakeImage("three"), out_, {"other"});
  EXPECT_EQ(Blobs(out_).size(), 7u);
}

TEST_F(ImageTest, RefusesADirectoryThatIsNoLayout) {
  fs::create_directories(out_);
  std::ofstream(out_ / "thesis.txt") << "precious";
  EXPECT_THROW(WriteLayout(store_, MakeImage("x"), out_, {"latest"}), specs::Error);
  EXPECT_EQ(ReadFile(out_ / "thesis.txt"), "precious");
}

TEST_F(ImageTest, RefusesAFileInItsPlace) {
  std::ofstream(out_) << "precious";
  EXPECT_THROW(WriteLayout(store_, MakeImage("x"), out_, {"latest"}), specs::Error);
  EXPECT_EQ(ReadFile(out_), "precious");
}

// What a run that was killed before the marker leaves.
TEST_F(ImageTest, TakesADirectoryOfTemporaryFilesAndRemovesThem) {
  fs::create_directories(out_);
  std::ofstream(out_ / ".imgbuild-tmp-0123456789abcdef") << "{";
  Image image = MakeImage("x");
  EXPECT_EQ(WriteLayout(store_, image, out_, {"latest"}).blobs_placed, 3u);
  std::ofstream(out_ / "blobs/sha256/.imgbuild-tmp-77") << "half a layer";
  WriteLayout(store_, image, out_, {"latest"});
  EXPECT_EQ(Blobs(out_).size(), 3u);
  EXPECT_FALSE(fs::exists(out_ / ".imgbuild-tmp-0123456789abcdef"));
}

TEST_F(ImageTest, FinishesALayoutThatHasItsMarkerAlone) {
  fs::create_directories(out_);
  std::ofstream(out_ / "oci-layout") << kLayoutMarker;
  EXPECT_EQ(WriteLayout(store_, MakeImage("x"), out_, {"latest"}).blobs_placed, 3u);
}

// As if it had been killed between the blobs and index.json, at every one of them.
TEST_F(ImageTest, BlobsOfAnUnfinishedRunAreRemovedByTheNextImage) {
  const Image whole = MakeImage("whole");
  const std::vector<specs::Descriptor> blobs = whole.Blobs();
  for (std::size_t placed = 0; placed < blobs.size(); ++placed) {
    const Image killed = MakeImage("killed" + std::to_string(placed));
    const fs::path lost = store_.paths().Blob(killed.Blobs()[placed].digest);
    fs::rename(lost, folder_.path() / "lost");
    EXPECT_THROW(WriteLayout(store_, killed, out_, {"latest"}), specs::Error);
    fs::rename(folder_.path() / "lost", lost);
    WriteLayout(store_, whole, out_, {"latest"});
    EXPECT_EQ(Blobs(out_).size(), blobs.size()) << placed;
  }
}

// Killed between index.json and the removal of what it named before.
TEST_F(ImageTest, OldBlobsAreRemovedEvenWhereTheIndexStandsAlready) {
  Image one = MakeImage("one");
  WriteLayout(store_, one, out_, {"latest"});
  Image two = MakeImage("two");
  const std::string record = ReadFile(store_.paths().Layout(out_));
  WriteLayout(store_, two, out_, {"latest"});
  for (const specs::Descriptor& blob : one.Blobs()) {
    fs::copy_file(store_.paths().Blob(blob.digest), out_ / "blobs/sha256" / blob.digest.Hex(),
                  fs::copy_options::overwrite_existing);
  }
  std::ofstream(store_.paths().Layout(out_), std::ios::app) << record;
  WriteLayout(store_, two, out_, {"latest"});
  EXPECT_EQ(Blobs(out_).size(), 3u);
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

TEST_F(ImageTest, ALostBlobLeavesNoOutputBehind) {
  Image image = MakeImage("layer");
  fs::remove(store_.paths().Blob(image.platforms[0].manifest.layers[0].digest));
  const fs::path file = folder_.path() / "x.tar";
  EXPECT_THROW(WriteOciArchive(store_, image, file, {"latest"}), specs::Error);
  EXPECT_FALSE(fs::exists(file));
}

}  // namespace
}  // namespace imgbuild::layers
