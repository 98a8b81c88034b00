// Caches in a registry: what pushed images claim, and artifacts that are written and read.
#include "builder/share/registry_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/assemble/recipe_annotations.h"
#include "builder/net/curl_client.h"
#include "builder/share/image_entries.h"
#include "builder/share/registry_target.h"
#include "layers/write/layer_info.h"
#include "specs/base/error.h"
#include "specs/oci/image_config.h"
#include "specs/oci/manifest.h"
#include "specs/oci/media_types.h"
#include "tests/support/mini_registry.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using specs::HashOf;
using testing::HasSubstr;

class RegistryCache : public testing::Test {
 protected:
  std::unique_ptr<Registry> Open(HttpClient& http, Access access) {
    return std::make_unique<Registry>(http,
                                      Endpoint{.host = server_.host(),
                                               .repository = "team/app",
                                               .transport = Transport::kFallback,
                                               .tls = nullptr},
                                      Credentials{}, access);
  }
  RegistryPlace Place(const std::string& tag) {
    auto client = std::make_unique<CacheClient>(curl_);
    auto registry = Open(*client, Access::kPull);
    return RegistryPlace(std::move(client), std::move(registry), tag);
  }
  RegistryTarget Target(std::size_t limit = kLargestArtifact) {
    return RegistryTarget(Open(curl_, Access::kPush), "cache", memory_, store_, limit);
  }

  OutgoingEntry Entry(const std::string& name) {
    OutgoingEntry entry{.name = {EntryKind::kPackage, HashOf(name)}, .document = {}, .blobs = {}};
    entry.blobs.push_back(WrittenBlob("record", "record of " + name, store_));
    return entry;
  }

  support::TempFolder folder_;
  layers::Store store_{folder_.path() / "cache"};
  PushMemory memory_{folder_.path()};
  support::MiniRegistry server_;
  CurlClient curl_{{.user_agent = "test", .max_tries = 2, .backoff_ms = 1}};
};

TEST_F(RegistryCache, WhatWasWrittenIsFound) {
  RegistryTarget target = Target();
  EXPECT_EQ(target.Put({Entry("a"), Entry("b")}).entries, 2u);
  const ExportResult more = target.Put({Entry("b"), Entry("c")});
  EXPECT_EQ(more.entries, 1u);
  EXPECT_EQ(more.blobs, 1u);
  RegistryPlace place = Place("cache");
  for (const char* name : {"a", "b", "c"}) {
    const auto found = place.Find({EntryKind::kPackage, HashOf(name)});
    ASSERT_TRUE(found) << name;
    layers::StringSink sink;
    EXPECT_TRUE(place.Read(*found->Find("record"), sink, [] {}));
    EXPECT_EQ(sink.text(), std::string("record of ") + name);
  }
  EXPECT_FALSE(place.Find({EntryKind::kPackage, HashOf("d")}));
  EXPECT_FALSE(place.Find({EntryKind::kArchive, HashOf("a")}));
}

// Somebody else writes the tag while our blobs go out, and once more after our manifest.
TEST_F(RegistryCache, TwoWritersKeepWhatBothBrought) {
  Target().Put({Entry("before")});
  RegistryTarget other = Target();
  int puts = 0;
  std::string theirs;
  server_.AnswerBy(
      [&](std::size_t,
          const support::ServedRequest& request) -> std::optional<support::ServedResponse> {
        if (request.method != "PUT" || !request.target.ends_with("/manifests/cache")) {
          return std::nullopt;
        }
        // The first manifest of ours is lost: another's, written at that instant, stays.
        if (++puts > 1) return std::nullopt;
        return support::ServedResponse{.status = 201, .headers = {}, .body = {}};
      });
  EXPECT_EQ(other.Put({Entry("ours")}).entries, 1u);
  EXPECT_EQ(puts, 2);
  RegistryPlace place = Place("cache");
  EXPECT_TRUE(place.Find({EntryKind::kPackage, HashOf("before")}));
  EXPECT_TRUE(place.Find({EntryKind::kPackage, HashOf("ours")}));
}

TEST_F(RegistryCache, TheManifestStaysWithinItsBounds) {
  RegistryTarget target = Target(4000);
  for (int i = 0; i < 20; ++i) target.Put({Entry("entry" + std::to_string(i))});
  EXPECT_LE(server_.manifests().at("team/app@" + server_.tags().at("team/app:cache")).size(),
            4000u);
  RegistryPlace place = Place("cache");
  EXPECT_FALSE(place.Find({EntryKind::kPackage, HashOf("entry0")}));
  EXPECT_TRUE(place.Find({EntryKind::kPackage, HashOf("entry19")}));
}

TEST_F(RegistryCache, NothingPushedYetIsAnEmptyCache) {
  RegistryPlace place = Place("nothing");
  EXPECT_FALSE(place.Find({EntryKind::kImage, HashOf("key")}));
}

TEST_F(RegistryCache, AnImageIsNotOverwritten) {
  server_.PutBlob("team/app", "{}");
  server_.PutManifest(
      "team/app", "cache",
      specs::RenderManifest({.config = {.media_type = std::string(specs::kOciConfig),
                                        .digest = HashOf("{}"),
                                        .size = 2,
                                        .platform = {},
                                        .annotations = {}},
                             .layers = {},
                             .annotations = {}}),
      std::string(specs::kOciManifest));
  RegistryTarget target = Target();
  EXPECT_THROW(target.Put({Entry("a")}), specs::Error);
}

// A manifest of one layer with these annotations.
struct SampleImage {
  std::string manifest;
  std::string config;
};

SampleImage MakeSampleImage(const Annotations& layer, const Annotations& root,
                            std::size_t diff_ids = 1) {
  specs::ImageConfig config;
  for (std::size_t i = 0; i < diff_ids; ++i) config.diff_ids.push_back(HashOf("plain"));
  SampleImage sample{.manifest = {}, .config = specs::RenderImageConfig(config)};
  specs::Manifest manifest;
  manifest.config = {.media_type = std::string(specs::kOciConfig),
                     .digest = HashOf(sample.config),
                     .size = sample.config.size(),
                     .platform = {},
                     .annotations = {}};
  manifest.layers.push_back({.media_type = std::string(specs::kOciLayerZstd),
                             .digest = HashOf("layer"),
                             .size = 5,
                             .platform = {},
                             .annotations = layer});
  manifest.annotations = root;
  sample.manifest = specs::RenderManifest(manifest);
  return sample;
}

ImageEntries Entries(const SampleImage& sample) {
  return EntriesOfImage(
      sample.manifest,
      [](const specs::Descriptor&) -> std::string { throw specs::Error("nothing more"); },
      [&](const specs::Descriptor&) { return sample.config; });
}

TEST(ImageEntries, AreWhatTheAnnotationsClaim) {
  const LayerRecipe recipe{HashOf("recipe"), 4096};
  const ImageEntries found = Entries(
      MakeSampleImage(LayerAnnotations(recipe), {{kImageKeyAnnotation, HashOf("image").Hex()}}));
  ASSERT_EQ(found.entries.size(), 2u);
  const CacheEntry& layer = found.entries.at({EntryKind::kLayer, recipe.key});
  EXPECT_EQ(layers::ParseLayerInfo(layer.document),
            (layers::LayerInfo{HashOf("layer"), 5, HashOf("plain"), 4096}));
  EXPECT_EQ(found.entries.at({EntryKind::kImage, HashOf("image")}).blobs.size(), 2u);
  EXPECT_EQ(found.documents.size(), 2u);
}

TEST(ImageEntries, ImagesOfOthersHaveNone) {
  for (const Annotations& annotations :
       {Annotations{}, Annotations{{kLayerKeyAnnotation, "not hexadecimal"}},
        Annotations{{kLayerKeyAnnotation, HashOf("x").Hex()}, {kPlainSizeAnnotation, "-1"}},
        Annotations{{kLayerKeyAnnotation, HashOf("x").Hex()}}}) {
    EXPECT_TRUE(Entries(MakeSampleImage(annotations, {})).entries.empty());
  }
  // Fewer diff ids than layers: nothing can be told of them.
  EXPECT_TRUE(Entries(MakeSampleImage(LayerAnnotations({HashOf("x"), 1}), {}, 0)).entries.empty());
}

TEST(ImageEntries, AWideIndexIsNotFollowed) {
  specs::ImageIndex index;
  for (std::size_t i = 0; i <= kMostSharedPlatforms; ++i) {
    index.manifests.push_back({.media_type = std::string(specs::kOciManifest),
                               .digest = HashOf(std::to_string(i)),
                               .size = 5,
                               .platform = {},
                               .annotations = {}});
  }
  index.annotations = {{kImageKeyAnnotation, HashOf("image").Hex()}};
  EXPECT_TRUE(Entries({.manifest = specs::RenderImageIndex(index), .config = {}}).entries.empty());
}

}  // namespace
}  // namespace imgbuild::builder
