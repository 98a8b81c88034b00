#include "layers/image/image_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/atomic_file.h"
#include "specs/base/error.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A layout written by hand, as other tools might.
class OpenLayoutTest : public testing::Test {
 protected:
  OpenLayoutTest() {
    fs::create_directories(layout() / "blobs/sha256");
    Write("oci-layout", R"({"imageLayoutVersion":"1.0.0"})");
  }

  fs::path layout() const { return folder_.path(); }
  void Write(const std::string& name, const std::string& bytes) {
    WriteFileAtomically(layout() / name, bytes);
  }
  // Puts the blob and gives its descriptor.
  std::string Put(const std::string& bytes, const std::string& media_type,
                  const std::string& more = "") {
    const specs::Sha256 digest = specs::HashOf(bytes);
    Write("blobs/sha256/" + digest.Hex(), bytes);
    return R"({"mediaType":")" + media_type + R"(","digest":")" + digest.Oci() + R"(","size":)" +
           std::to_string(bytes.size()) + more + "}";
  }
  std::string Name(const std::string& name) {
    return R"(,"annotations":{"org.opencontainers.image.ref.name":")" + name + "\"}";
  }
  void Index(const std::string& entries) {
    Write("index.json", R"({"schemaVersion":2,"manifests":[)" + entries + "]}");
  }
  std::string Manifest(const std::string& layer) {
    return R"({"schemaVersion":2,"config":)" + Put("{}", "x/config") + R"(,"layers":[)" +
           Put(layer, "x/layer") + "," + Put(layer, "x/layer") + "]}";
  }

  support::TempFolder folder_;
};

TEST_F(OpenLayoutTest, AnIndexOfForeignKindsIsTakenWhole) {
  const std::string one = Put(Manifest("one"), "x/manifest");
  const std::string two = Put(Manifest("two"), "x/manifest");
  Index(Put(R"({"manifests":[)" + one + "," + two + "]}", "x/index", Name("v1")));
  const ImageSource source = OpenLayout(layout(), "v1");
  ASSERT_EQ(source.documents.size(), 3u);
  EXPECT_EQ(source.root().media_type, "x/index");
  EXPECT_EQ(source.documents[0].descriptor.media_type, "x/manifest");
  EXPECT_EQ(source.blobs.size(), 3u);  // the configuration once, and two layers
  for (const SourceDocument& document : source.documents) {
    EXPECT_EQ(specs::HashOf(document.bytes), document.descriptor.digest);
  }
}

TEST_F(OpenLayoutTest, ChoosesByName) {
  Index(Put(Manifest("one"), "x/m", Name("a")) + "," + Put(Manifest("two"), "x/m", Name("b")));
  EXPECT_NE(OpenLayout(layout(), "a").root().digest, OpenLayout(layout(), "b").root().digest);
  for (const char* wrong : {"", "c"}) {
    try {
      (void)OpenLayout(layout(), wrong);
      ADD_FAILURE() << wrong;
    } catch (const specs::Error& error) {
      EXPECT_THAT(error.found(), HasSubstr("a, b"));
    }
  }
  const std::string same = Manifest("one");
  Index(Put(same, "x/m", Name("a")) + "," + Put(same, "x/m", Name("b")));
  EXPECT_EQ(OpenLayout(layout(), "").documents.size(), 1u);
}

TEST_F(OpenLayoutTest, WhatIsMissingOrDamagedIsAnError) {
  const std::string manifest = Manifest("layer");
  Index(Put(manifest, "x/m", Name("a")));
  const fs::path layer = layout() / "blobs/sha256" / specs::HashOf("layer").Hex();
  Write("blobs/sha256/" + specs::HashOf("layer").Hex(), "longer layer");
  EXPECT_THROW((void)OpenLayout(layout(), "a"), specs::Error);
  fs::remove(layer);
  EXPECT_THROW((void)OpenLayout(layout(), "a"), specs::Error);
  Write("blobs/sha256/" + specs::HashOf("layer").Hex(), "layer");
  EXPECT_NO_THROW((void)OpenLayout(layout(), "a"));
  std::string damaged = manifest;
  damaged[2] = 'X';
  Write("blobs/sha256/" + specs::HashOf(manifest).Hex(), damaged);
  EXPECT_THROW((void)OpenLayout(layout(), "a"), specs::Error);
  fs::remove(layout() / "index.json");
  EXPECT_THROW((void)OpenLayout(layout(), "a"), specs::Error);
}

TEST_F(OpenLayoutTest, IndexesInIndexesEnd) {
  std::string entry = Put(Manifest("x"), "x/m");
  for (int i = 0; i < 20; ++i) {
    entry = Put(R"({"manifests":[)" + entry + "]}", "x/index", i == 19 ? Name("deep") : "");
  }
  Index(entry);
  EXPECT_THROW((void)OpenLayout(layout(), "deep"), specs::Error);
}

}  // namespace
}  // namespace imgbuild::layers
