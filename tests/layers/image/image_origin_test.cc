#include "layers/image/image_origin.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/image/archive_output.h"
#include "layers/image/layout.h"
#include "layers/io/archive.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/oci/media_types.h"
#include "tests/layers/image/image_fixture.h"
#include "tests/layers/image/memory_origin.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::Error;
using specs::HashOf;
using testing::HasSubstr;

class ImageOriginTest : public ImageTest {
 protected:
  // An index of two platforms and, in an index in it, a third one.
  void PutIndex() {
    const std::string inner =
        origin_.PutIndex({origin_.PutImage("linux/s390x", {"s390x layer"}) + R"(,"platform":)" +
                          R"({"os":"linux","architecture":"s390x"}})"});
    origin_.SetRoot(origin_.PutIndex(
                        {origin_.PutImage("linux/amd64", {"shared", "amd64 layer"}) +
                             R"(,"platform":{"os":"linux","architecture":"amd64"}})",
                         origin_.PutImage("linux/arm64", {"shared", "arm64 layer"}) +
                             R"(,"platform":{"os":"linux","architecture":"arm64","variant":"v8"}})",
                         inner + "}"}) +
                    "}");
  }

  template <typename Action>
  void Refused(const std::string& part, Action action) {
    try {
      action();
      ADD_FAILURE() << "no error: " << part;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(part));
    }
  }

  MemoryOrigin origin_{folder_.path() / "origin"};
};

TEST_F(ImageOriginTest, AnIndexIsTakenWhole) {
  PutIndex();
  const ImageSource image = ReadImage(origin_);
  EXPECT_EQ(image.documents.size(), 5u);
  EXPECT_EQ(image.root(), origin_.Root());
  EXPECT_EQ(image.blobs.size(), 3u + 4u);  // configurations, layers
}

TEST_F(ImageOriginTest, OrOnePlatformOfIt) {
  PutIndex();
  for (const char* platform : {"linux/amd64", "linux/arm64", "linux/arm64/v8", "linux/s390x"}) {
    const ImageSource image = ReadImage(origin_, platform);
    ASSERT_EQ(image.documents.size(), 1u) << platform;
    EXPECT_EQ(image.root().media_type, specs::kOciManifest);
  }
  EXPECT_EQ(ReadImage(origin_, "linux/arm64").root().digest,
            ReadImage(origin_, "linux/arm64/v8").root().digest);
  Refused("linux/amd64, linux/arm64/v8, linux/s390x", [&] { ReadImage(origin_, "linux/riscv64"); });
  origin_.SetRoot(origin_.PutImage("linux/amd64", {"layer"}) + "}");
  EXPECT_EQ(ReadImage(origin_, "linux/amd64").documents.size(), 1u);
  Refused("linux/amd64", [&] { ReadImage(origin_, "linux/arm64"); });
}

TEST_F(ImageOriginTest, WhatIsNotWhatItsDescriptorSaysIsRefused) {
  PutIndex();
  const specs::Sha256 root = origin_.Root().digest;
  const std::string bytes = origin_.blobs.at(root);
  for (const std::string& wrong : {bytes + " ", bytes.substr(1), std::string()}) {
    origin_.blobs[root] = wrong;
    Refused("damaged", [&] { ReadParts(origin_); });
    Refused("damaged", [&] { ReadParts(origin_, "linux/amd64"); });
  }
}

TEST_F(ImageOriginTest, HostileDocumentsEnd) {
  // An index that says it is larger than any registry takes.
  origin_.SetRoot(R"({"mediaType":"x","digest":")" + HashOf("x").Oci() +
                  R"(","size":1099511627776})");
  Refused("too large", [&] { ReadParts(origin_); });
  // Indexes in indexes.
  std::string link = origin_.PutIndex({});
  for (int level = 0; level < 20; ++level) link = origin_.PutIndex({link + "}"});
  origin_.SetRoot(link + "}");
  Refused("too deeply", [&] { ReadParts(origin_); });
  Refused("too deeply", [&] { ReadParts(origin_, "linux/amd64"); });
  // A layer that is somewhere else.
  origin_.SetRoot(origin_.PutManifest(
      {{"x", R"("mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")"}}));
  EXPECT_EQ(ReadParts(origin_).blobs.size(), 2u);  // it may be looked at
  Refused("kept elsewhere", [&] { ReadImage(origin_); });
}

TEST_F(ImageOriginTest, ArtifactsGoThroughByteForByte) {
  origin_.SetRoot(origin_.PutManifest({{"a model", R"("mediaType":"x/model")"}}));
  const ImageSource image = ReadImage(origin_);
  WriteLayout(store_, image, out_, {"model"});
  const ImageSource back = OpenLayout(out_, "model");
  EXPECT_EQ(back.documents.back().bytes, image.documents.back().bytes);
  EXPECT_EQ(ReadFile(out_ / "blobs/sha256" / HashOf("a model").Hex()), "a model");
  Refused("no image", [&] { WriteDockerArchive(store_, image, folder_.path() / "x.tar", {}); });
}

TEST_F(ImageOriginTest, LayoutsTakeImagesFromAnywhere) {
  PutIndex();
  const ImageSource image = ReadImage(origin_);
  EXPECT_EQ(WriteLayout(store_, image, out_, {"a", "b"}).blobs_placed, 12u);
  EXPECT_EQ(WriteLayout(store_, image, out_, {"a"}).blobs_placed, 0u);
  EXPECT_EQ(Blobs(out_).size(), 12u);
  // Not as links to what others may write to.
  for (const SourceBlob& blob : image.blobs) {
    EXPECT_EQ(fs::hard_link_count(out_ / "blobs/sha256" / blob.descriptor.digest.Hex()), 1u);
  }
  EXPECT_EQ(OpenLayout(out_, "b").root(), image.root());
}

TEST_F(ImageOriginTest, ADamagedFileIsFoundWhileItIsCopied) {
  origin_.SetRoot(origin_.PutImage("linux/amd64", {"layer one"}) + "}");
  const ImageSource image = ReadImage(origin_);
  const fs::path layer = folder_.path() / "origin" / HashOf("layer one").Hex();
  const fs::path tar = folder_.path() / "x.tar";
  for (const std::string& wrong : {std::string("layer 0ne"), std::string("layer one and more")}) {
    WriteFileAtomically(layer, wrong);
    EXPECT_THROW(WriteLayout(store_, image, out_, {"a"}), Error);
    EXPECT_THROW(WriteOciArchive(store_, image, tar, {"a"}), Error);
    EXPECT_THROW(WriteDockerArchive(store_, image, tar, {"a:b"}), Error);
    EXPECT_FALSE(fs::exists(tar));
    EXPECT_FALSE(fs::exists(out_ / "blobs/sha256" / HashOf("layer one").Hex()));
  }
  WriteFileAtomically(layer, "layer one");
  WriteLayout(store_, image, out_, {"a"});
  EXPECT_EQ(OpenLayout(out_, "a").root(), image.root());
}

TEST_F(ImageOriginTest, DockerArchivesHoldOnePlatformWithPlainLayers) {
  PutIndex();
  const fs::path tar = folder_.path() / "x.tar";
  Refused("--platform", [&] { WriteDockerArchive(store_, ReadImage(origin_), tar, {"a:b"}); });
  WriteDockerArchive(store_, ReadImage(origin_, "linux/amd64"), tar, {"a:b"});
  FileSource source(tar);
  ArchiveReader reader(source, ArchiveFormat::kTar);
  std::map<std::string, std::string> files;
  while (auto entry = reader.Next()) files[entry->path] = ReadAll(reader.Data());
  EXPECT_EQ(files.at(HashOf("shared").Hex() + ".tar"), "shared");
  EXPECT_EQ(files.at(HashOf("amd64 layer").Hex() + ".tar"), "amd64 layer");
  EXPECT_EQ(files.size(), 4u);
}

}  // namespace
}  // namespace imgbuild::layers
