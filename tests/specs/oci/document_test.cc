#include "specs/oci/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "specs/oci/media_types.h"

namespace imgbuild::specs {
namespace {

using testing::HasSubstr;

std::string Link(const std::string& type, const std::string& more = "") {
  return R"({"mediaType":")" + type + R"(","digest":")" + HashOf(type).Oci() + R"(","size":7)" +
         more + "}";
}

TEST(Document, ReadsManifestsOfEveryTool) {
  const std::string text =
      R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",)"
      R"("config":)" +
      Link(std::string(kDockerConfig)) + R"(,"layers":[)" + Link("x/layer") + "," +
      Link("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip") + "," +
      Link("x/other", R"(,"urls":["http://files.example/l"])") +
      R"(],"annotations":{"a":"b"},"subject":)" + Link("x/subject") + "}";
  const Document document = ParseDocument(text, "it");
  EXPECT_EQ(document.kind, DocumentKind::kManifest);
  EXPECT_EQ(document.media_type, kDockerManifest);
  ASSERT_TRUE(document.config);
  EXPECT_EQ(document.config->descriptor.digest, HashOf(kDockerConfig));
  ASSERT_EQ(document.layers.size(), 3u);
  EXPECT_FALSE(document.layers[0].foreign);
  EXPECT_TRUE(document.layers[1].foreign);
  EXPECT_TRUE(document.layers[2].foreign);
  ASSERT_TRUE(document.subject);
  EXPECT_EQ(document.annotations.at("a"), "b");
}

TEST(Document, ReadsIndexesWithPlatformsOfEveryKind) {
  const Document document = ParseDocument(
      R"({"schemaVersion":2,"manifests":[)" +
          Link(
              "x/m",
              R"(,"platform":{"os":"linux","architecture":"arm","variant":"v7"},"artifactType":"x/a")") +
          "," + Link("x/n") + "]}",
      "it");
  EXPECT_EQ(document.kind, DocumentKind::kIndex);
  ASSERT_EQ(document.manifests.size(), 2u);
  EXPECT_EQ(document.manifests[0].platform, "linux/arm/v7");
  EXPECT_EQ(document.manifests[0].artifact_type, "x/a");
  EXPECT_EQ(document.manifests[1].platform, "");
}

TEST(Document, WhatIsNoneIsAnError) {
  const std::string config = R"("config":)" + Link("x/c");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"schemaVersion":1,"fsLayers":[]})", "schema 1"},
      {R"({"schemaVersion":3,)" + config + "}", "schemaVersion"},
      {R"({"manifests":[],)" + config + "}", "index and a manifest at once"},
      {R"({"manifests":[],"layers":[]})", "index and a manifest at once"},
      {R"({"mediaType":"application/vnd.oci.image.index.v1+json",)" + config + "}", "another kind"},
      {R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]})",
       "another kind"},
      {"{}", "no manifest"},
      {"[]", "no object"},
      {R"({"layers":7})", "no array"},
      {R"({"layers":[7]})", "no object"},
      {R"({"layers":[{"mediaType":"x","digest":"sha256:0","size":1}]})", "digest"},
      {R"({"layers":[{"mediaType":"x","digest":"sha512:0","size":1}]})", "digest"},
      {R"({"layers":[{"mediaType":"x","digest":")" + HashOf("").Oci() + R"(","size":-1}]})",
       "size"},
      {"<html>", "not valid"},
      {"", "not valid"},
  };
  for (const auto& [text, part] : cases) {
    try {
      (void)ParseDocument(text, "it");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(part)) << text;
    }
  }
}

TEST(Document, PlatformsFitByTheirParts) {
  EXPECT_TRUE(PlatformFits("linux/amd64", "linux/amd64"));
  EXPECT_TRUE(PlatformFits("linux/arm64", "linux/arm64/v8"));
  EXPECT_TRUE(PlatformFits("linux/arm64/v8", "linux/arm64"));
  EXPECT_TRUE(PlatformFits("linux/arm", "linux/arm/v7"));
  EXPECT_FALSE(PlatformFits("linux/arm/v6", "linux/arm/v7"));
  EXPECT_FALSE(PlatformFits("linux/arm/v7", "linux/arm"));
  EXPECT_FALSE(PlatformFits("linux/amd64", "windows/amd64"));
  EXPECT_FALSE(PlatformFits("linux/amd64", ""));
  EXPECT_FALSE(PlatformFits("linux", "linux/amd64"));
  for (const char* good : {"linux/amd64", "linux/arm/v7", "windows/amd64"}) {
    EXPECT_TRUE(IsPlatformName(good)) << good;
  }
  for (const char* bad : {"", "amd64", "linux/", "/amd64", "a/b/c/d", "Linux/x", "linux/a b"}) {
    EXPECT_FALSE(IsPlatformName(bad)) << bad;
  }
}

}  // namespace
}  // namespace imgbuild::specs
