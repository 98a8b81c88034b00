#include "builder/share/cache_artifact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/share/record_text.h"
#include "specs/base/error.h"
#include "specs/oci/document.h"

namespace imgbuild::builder {
namespace {

NamedEntry Package(const std::string& name) {
  return {.name = {EntryKind::kPackage, specs::HashOf(name)},
          .entry = {.document = {},
                    .blobs = {{"record", specs::HashOf("record of " + name), 10},
                              {"frame", specs::HashOf("frame of " + name), 20}}}};
}

TEST(CacheArtifact, IsReadAsItWasWritten) {
  const CacheArtifact artifact = {
      Package("a"),
      {.name = {EntryKind::kArchive, specs::HashOf("x")},
       .entry = {.document = {}, .blobs = {{"archive", specs::HashOf("x"), 1}}}},
      Package("b")};
  const std::string text = RenderCacheArtifact(artifact);
  EXPECT_TRUE(IsCacheArtifact(text));
  EXPECT_EQ(ParseCacheArtifact(text), artifact);
  EXPECT_TRUE(ParseCacheArtifact(RenderCacheArtifact({})).empty());
}

// manifest.md, "Guidelines for Artifact Usage".
TEST(CacheArtifact, IsAnArtifactForOtherTools) {
  const specs::Document document =
      specs::ParseDocument(RenderCacheArtifact({Package("a")}), "the artifact");
  EXPECT_EQ(document.kind, specs::DocumentKind::kManifest);
  EXPECT_EQ(document.artifact_type, kCacheArtifactType);
  EXPECT_EQ(document.config->descriptor.media_type, "application/vnd.oci.empty.v1+json");
  EXPECT_EQ(document.config->descriptor.digest.Hex(),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
  EXPECT_EQ(document.config->descriptor.size, 2u);
  EXPECT_EQ(document.layers.size(), 2u);
}

TEST(CacheArtifact, PassesOverWhatIsNotOurs) {
  std::string text = RenderCacheArtifact({Package("a"), Package("b")});
  text.replace(text.find("\"package\""), 9, "\"parcels\"");  // a kind of a later version
  const CacheArtifact read = ParseCacheArtifact(text);
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].entry.blobs.size(), 1u);
  EXPECT_EQ(read[1], Package("b"));
  EXPECT_THROW(ParseCacheArtifact("{}"), specs::Error);
  EXPECT_THROW(IsCacheArtifact("<html>"), specs::Error);
}

TEST(CacheArtifact, MergingKeepsWhatIsThere) {
  NamedEntry changed = Package("a");
  changed.entry.blobs[0].size = 11;
  EXPECT_EQ(Merge({Package("a"), Package("b")}, {Package("c"), changed}),
            (CacheArtifact{Package("b"), Package("c"), changed}));
  EXPECT_EQ(Merge({}, {Package("a")}), CacheArtifact{Package("a")});
}

TEST(CacheArtifact, TheOldestGoFirst) {
  CacheArtifact old;
  for (int i = 0; i < 50; ++i) old.push_back(Package("old" + std::to_string(i)));
  const std::size_t limit = RenderCacheArtifact(old).size();
  const CacheArtifact merged = Merge(old, {Package("new1"), Package("new2")}, limit);
  EXPECT_LE(RenderCacheArtifact(merged).size(), limit);
  EXPECT_GE(merged.size(), 49u);
  EXPECT_EQ(merged.front().name, old[52 - merged.size()].name);
  EXPECT_EQ(merged.back(), Package("new2"));
  EXPECT_TRUE(Merge(old, {Package("new")}, 100).empty());
}

TEST(RecordText, IsReadAsItWasPacked) {
  for (const std::string& text :
       {std::string(), std::string("line\nfacts"), std::string(20'000'000, 'x')}) {
    EXPECT_EQ(UnpackRecord(PackRecord(text)), text);
  }
  EXPECT_LT(PackRecord(std::string(1'000'000, 'x')).size(), 10'000u);
}

TEST(RecordText, RefusesWhatIsNone) {
  const std::string packed = PackRecord("line\nfacts of it");
  EXPECT_THROW(UnpackRecord("no frame at all"), specs::Error);
  EXPECT_THROW(UnpackRecord(packed.substr(0, packed.size() - 2)), specs::Error);
  // A frame that grows without end.
  EXPECT_THROW(UnpackRecord(PackRecord(std::string(kLargestRecord + 1, 'x'))), specs::Error);
}

}  // namespace
}  // namespace imgbuild::builder
