#include "specs/oci/layout_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "specs/oci/manifest.h"
#include "specs/oci/manifest_links.h"
#include "specs/oci/media_types.h"

namespace imgbuild::specs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Descriptor Image(std::string_view content) {
  return {.media_type = std::string(kOciManifest),
          .digest = HashOf(content),
          .size = content.size(),
          .platform = Platform{Architecture::kArm64},
          .annotations = {{"k", "v"}}};
}

TEST(LayoutIndex, OfOwnEntriesIsAnImageIndex) {
  Descriptor tagged = Image("x");
  tagged.annotations[std::string(kAnnotationRefName)] = "v1";
  LayoutIndex index{.entries = {MakeLayoutEntry(Image("x"), "v1")}, .others = {}};
  EXPECT_EQ(RenderLayoutIndex(index), RenderImageIndex({.manifests = {tagged}}));
  EXPECT_EQ(ParseLayoutIndex(RenderLayoutIndex(index), "index"), index);
  EXPECT_EQ(RenderLayoutIndex({}), RenderImageIndex({}));
}

TEST(LayoutIndex, KeepsWhatOthersWroteAsItStands) {
  const std::string_view theirs[] = {
      R"({ "digest" : "sha512:00ff", "size":1.50, "mediaType":"text/x", "mediaType":"text/y" })",
      R"({"mediaType":"m","digest":"sha256:1","platform":{"os":"plan9","variant":"v7","x":[{}]},)"
      R"("urls":["u"],"data":"e30=","artifactType":"a/b",)"
      R"("annotations":{"org.opencontainers.image.ref.name":"v\u0031","é":"\"]}"}})",
      R"({})", R"({"annotations":{"org.opencontainers.image.ref.name":5},"digest":null})"};
  std::string text = R"( { "annotations" : {"a": [1, 2e0]}, "manifests" : [ )";
  for (std::string_view entry : theirs)
    text += std::string(entry) + (entry == theirs[3] ? "" : ",\n");
  text += R"( ], "schemaVersion":2 , "x\u0079":-0.10,"subject":{"digest":"}"} } )";
  const LayoutIndex index = ParseLayoutIndex(text, "index");
  ASSERT_EQ(index.entries.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(index.entries[i].json, theirs[i]);
  EXPECT_EQ(index.entries[0].digest, "sha512:00ff");
  EXPECT_EQ(index.entries[1].ref_name, "v1");
  EXPECT_EQ(index.entries[3].ref_name, "");
  EXPECT_THAT(index.others, ElementsAre(R"("annotations":{"a": [1, 2e0]})", R"("xy":-0.10)",
                                        R"("subject":{"digest":"}"})"));
  const std::string rendered = RenderLayoutIndex(index);
  EXPECT_EQ(ParseLayoutIndex(rendered, "index"), index);
  for (std::string_view entry : theirs) EXPECT_THAT(rendered, HasSubstr(std::string(entry)));
}

TEST(LayoutIndex, RefusesWhatIsNone) {
  for (const char* text :
       {"", "[]", "{}", "5", R"({"schemaVersion":2})", R"({"schemaVersion":2,"manifests":{}})",
        R"({"schemaVersion":1,"manifests":[]})", R"({"schemaVersion":2,"manifests":[5]})",
        R"({"schemaVersion":2,"manifests":[],"manifests":[]})",
        R"({"schemaVersion":2,"manifests":[],"mediaType":"text/plain"})"}) {
    EXPECT_THROW((void)ParseLayoutIndex(text, "index"), Error) << text;
  }
}

TEST(ManifestLinks, AreFoundInManifestsOfAnyKind) {
  const ManifestLinks image = ParseManifestLinks(
      R"({"schemaVersion":2,"config":{"digest":"sha512:c"},"layers":[{"digest":"a"},{"digest":"b"}],
          "subject":{"digest":"s"},"new":1})",
      "m");
  EXPECT_THAT(image.blobs, ElementsAre("sha512:c", "a", "b"));
  EXPECT_THAT(image.manifests, ElementsAre("s"));
  const ManifestLinks index = ParseManifestLinks(R"({"manifests":[{"digest":"a"}]})", "m");
  EXPECT_THAT(index.manifests, ElementsAre("a"));
  EXPECT_THAT(ParseManifestLinks(R"({"fsLayers":[{"blobSum":"a"}]})", "m").blobs, ElementsAre("a"));
  EXPECT_THAT(ParseManifestLinks(R"({"manifests":[],"layers":null})", "m").blobs, IsEmpty());
}

TEST(ManifestLinks, AreUnknownElsewhere) {
  for (const char* text :
       {"", "{}", "[]", "5", R"({"layers":{}})", R"({"layers":[{}]})",
        R"({"manifests":[{"digest":5}]})", R"({"config":"x"})", R"({"other":[{"digest":"a"}]})"}) {
    EXPECT_THROW((void)ParseManifestLinks(text, "m"), Error) << text;
  }
}

}  // namespace
}  // namespace imgbuild::specs
