#include "layers/image/annotate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/image/layout.h"
#include "specs/base/error.h"
#include "specs/oci/document.h"
#include "tests/layers/image/image_fixture.h"

namespace imgbuild::layers {
namespace {

using testing::ElementsAre;
using testing::Pair;

class AnnotateTest : public ImageTest {
 protected:
  ImageSource Indexed() {
    specs::ImageConfig arm{.created = "1980-01-01T00:00:00Z", .workdir = "/work"};
    arm.platform.architecture = specs::Architecture::kArm64;
    specs::ImageConfig amd{.created = "1980-01-01T00:00:00Z", .workdir = "/work"};
    const std::vector<ImageLayer> layers = {PutLayer("one")};
    return SourceOf(PublishImage(store_,
                                 {PublishPlatform(store_, amd, layers, {{"old", "1"}}),
                                  PublishPlatform(store_, arm, layers, {})},
                                 {{"old", "2"}}),
                    store_);
  }
};

TEST_F(AnnotateTest, EveryDocumentHasThemAndLeadsToTheNewOnes) {
  const ImageSource before = Indexed();
  const ImageSource after = Annotated(before, {{"old", "3"}, {"revision", "abc"}});
  ASSERT_EQ(after.documents.size(), 3u);
  for (const SourceDocument& document : after.documents) {
    EXPECT_EQ(specs::HashOf(document.bytes), document.descriptor.digest);
    EXPECT_EQ(document.bytes.size(), document.descriptor.size);
    EXPECT_THAT(specs::ParseDocument(document.bytes, "it").annotations,
                ElementsAre(Pair("old", "3"), Pair("revision", "abc")));
  }
  const specs::Document index = specs::ParseDocument(after.documents.back().bytes, "it");
  ASSERT_EQ(index.manifests.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(index.manifests[i].descriptor.digest, after.documents[i].descriptor.digest);
    EXPECT_EQ(index.manifests[i].descriptor.size, after.documents[i].descriptor.size);
    const specs::Document old = specs::ParseDocument(before.documents[i].bytes, "it");
    const specs::Document now = specs::ParseDocument(after.documents[i].bytes, "it");
    EXPECT_EQ(now.config, old.config);
    EXPECT_EQ(now.layers, old.layers);
  }
  EXPECT_EQ(after.blobs.size(), before.blobs.size());
  WriteLayout(store_, after, out_, {"x"});
  EXPECT_EQ(OpenLayout(out_, "x").root().digest, after.root().digest);
}

TEST_F(AnnotateTest, NoneChangeNothing) {
  const ImageSource image = SourceOf(MakeImage("x"), store_);
  EXPECT_EQ(Annotated(image, {}).root().digest, image.root().digest);
}

TEST_F(AnnotateTest, TooManyAreRefused) {
  const ImageSource image = SourceOf(MakeImage("x"), store_);
  EXPECT_THROW(Annotated(image, {{"much", std::string(5u << 20, 'x')}}), specs::Error);
}

TEST_F(AnnotateTest, ADocumentWhoseAnnotationsAreNoneIsAnError) {
  ImageSource image = SourceOf(MakeImage("x"), store_);
  image.documents.back().bytes = R"({"annotations":7})";
  EXPECT_THROW(Annotated(image, {{"a", "b"}}), specs::Error);
}

}  // namespace
}  // namespace imgbuild::layers
