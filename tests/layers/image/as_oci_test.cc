#include "layers/image/as_oci.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/oci/document.h"
#include "specs/oci/media_types.h"
#include "tests/layers/image/image_fixture.h"
#include "tests/layers/image/memory_origin.h"

namespace imgbuild::layers {
namespace {

using specs::HashOf;
using testing::HasSubstr;
using testing::Not;

class AsOciTest : public ImageTest {
 protected:
  // A descriptor without its closing brace.
  std::string PutDockerImage(const std::string& layer) {
    return origin_.Put(
        R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",)"
        R"("config":)" +
            origin_.Put("{}", MemoryOrigin::Type(specs::kDockerConfig)) + R"(},"layers":[)" +
            origin_.Put(layer,
                        MemoryOrigin::Type("application/vnd.docker.image.rootfs.diff.tar.gzip")) +
            R"(}],"annotations":{"z":"1","a":"2"}})",
        MemoryOrigin::Type(specs::kDockerManifest));
  }

  MemoryOrigin origin_{folder_.path() / "origin"};
};

TEST_F(AsOciTest, MediaTypesChangeAndNothingElse) {
  origin_.SetRoot(PutDockerImage("layer") + "}");
  const ImageSource before = ReadImage(origin_);
  EXPECT_TRUE(HasDockerTypes(before));
  const ImageSource after = AsOci(before);
  EXPECT_FALSE(HasDockerTypes(after));
  EXPECT_EQ(after.root().media_type, specs::kOciManifest);
  const std::string& bytes = after.documents.back().bytes;
  EXPECT_EQ(after.root().digest, HashOf(bytes));
  EXPECT_EQ(after.root().size, bytes.size());
  EXPECT_THAT(bytes, Not(HasSubstr("docker")));
  EXPECT_THAT(bytes, HasSubstr(R"("annotations":{"z":"1","a":"2"})"));
  const specs::Document document = specs::ParseDocument(bytes, "it");
  EXPECT_EQ(document.layers.at(0).descriptor.media_type, specs::kOciLayerGzip);
  EXPECT_EQ(document.layers.at(0).descriptor.digest, HashOf("layer"));
  EXPECT_EQ(document.config->descriptor.media_type, specs::kOciConfig);
  ASSERT_EQ(after.blobs.size(), before.blobs.size());
  EXPECT_EQ(after.blobs[1].path, before.blobs[1].path);
}

TEST_F(AsOciTest, IndexesLeadToWhatTheirManifestsBecame) {
  const std::string docker =
      PutDockerImage("one") + R"(,"platform":{"os":"linux","architecture":"arm","variant":"v7"}})";
  const std::string oci = origin_.PutImage("linux/amd64", {"two"}) + "}";
  for (const std::string_view kind : {specs::kDockerIndex, specs::kOciIndex}) {
    origin_.SetRoot(origin_.Put(R"({"schemaVersion":2,"mediaType":")" + std::string(kind) +
                                    R"(","manifests":[)" + docker + "," + oci + "]}",
                                MemoryOrigin::Type(kind)) +
                    "}");
    const ImageSource after = AsOci(ReadImage(origin_));
    const specs::Document index = specs::ParseDocument(after.documents.back().bytes, "it");
    EXPECT_EQ(index.media_type, specs::kOciIndex);
    ASSERT_EQ(index.manifests.size(), 2u);
    EXPECT_EQ(index.manifests[0].descriptor.digest, after.documents[0].descriptor.digest);
    EXPECT_EQ(index.manifests[0].descriptor.size, after.documents[0].bytes.size());
    EXPECT_EQ(index.manifests[0].platform, "linux/arm/v7");
    EXPECT_EQ(index.manifests[1].descriptor.digest, after.documents[1].descriptor.digest);
  }
}

TEST_F(AsOciTest, WhatIsOciStaysByteForByte) {
  origin_.SetRoot(origin_.PutImage("linux/amd64", {"layer"}) + "}");
  const ImageSource before = ReadImage(origin_);
  EXPECT_FALSE(HasDockerTypes(before));
  EXPECT_EQ(AsOci(before).documents.back().bytes, before.documents.back().bytes);
}

}  // namespace
}  // namespace imgbuild::layers
