#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "specs/base/error.h"
#include "specs/oci/image_config.h"
#include "specs/oci/manifest.h"
#include "specs/oci/media_types.h"

namespace imgbuild::specs {
namespace {

using testing::HasSubstr;

Descriptor Blob(std::string_view type, std::string_view content) {
  return {.media_type = std::string(type), .digest = HashOf(content), .size = content.size()};
}

TEST(Platform, RoundTripsAndRefusesOthers) {
  for (const char* text : {"linux/amd64", "linux/arm64"}) {
    EXPECT_EQ(Platform::Parse(text)->Render(), text);
  }
  EXPECT_EQ(Platform::Parse("linux/arm64/v8"), Platform::Parse("linux/arm64"));
  for (const char* text : {"", "linux", "windows/amd64", "linux/arm/v7"}) {
    EXPECT_FALSE(Platform::Parse(text)) << text;
  }
}

TEST(Manifest, RoundTripsInOneForm) {
  Manifest manifest{.config = Blob(kOciConfig, "{}"), .layers = {Blob(kOciLayerZstd, "layer")}};
  manifest.layers[0].annotations["b"] = "2";
  manifest.layers[0].annotations["a"] = "1";
  const std::string text = RenderManifest(manifest);
  EXPECT_EQ(ParseManifest(text, "manifest"), manifest);
  EXPECT_THAT(text, HasSubstr(R"({"schemaVersion":2,"mediaType":)"));
  EXPECT_THAT(text, HasSubstr(R"("annotations":{"a":"1","b":"2"})"));
}

TEST(ImageIndex, RoundTripsWithPlatforms) {
  Descriptor entry = Blob(kOciManifest, "{}");
  entry.platform = Platform{Architecture::kArm64};
  ImageIndex index{.manifests = {entry}};
  EXPECT_EQ(ParseImageIndex(RenderImageIndex(index), "index"), index);
}

TEST(Documents, AreRefusedWithTheirName) {
  for (const char* text :
       {"", "[]", "{}", R"({"schemaVersion":1})", R"({"schemaVersion":2,"config":{},"layers":[]})",
        R"({"schemaVersion":2,"mediaType":"text/plain"})",
        R"({"schemaVersion":2,"config":{"mediaType":"x","digest":"md5:0","size":1},"layers":[]})",
        R"({"schemaVersion":2,"config":{"mediaType":"x","digest":"sha256:00","size":-1}})"}) {
    try {
      (void)ParseManifest(text, "the manifest of x");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("the manifest of x")) << text;
    }
  }
}

TEST(ImageConfig, RoundTrips) {
  ImageConfig config{.platform = {Architecture::kAmd64},
                     .created = "1980-01-01T00:00:00Z",
                     .user = "1000:0",
                     .exposed_ports = {5001, 8888},
                     .env = {{"PATH", "/bin"}, {"A", "b=c"}},
                     .entrypoint = {"/init"},
                     .command = {"x"},
                     .workdir = "/work",
                     .labels = {{"k", "v"}},
                     .stop_signal = "SIGTERM",
                     .health = HealthCheck{.command = {"/init", "health"}, .interval_s = 7},
                     .diff_ids = {HashOf("a")},
                     .history = {{.created_by = "imgbuild: base"}}};
  EXPECT_EQ(ParseImageConfig(RenderImageConfig(config), "config"), config);
  EXPECT_EQ(ParseImageConfig(RenderImageConfig({}), "config"), ImageConfig());
}

TEST(ImageConfig, ReadsWhatOthersWrite) {
  ImageConfig config = ParseImageConfig(
      R"({"os":"linux","architecture":"arm64","variant":"v8","config":{"Cmd":null,"Env":["A"],
          "ExposedPorts":{"80/tcp":{},"x":{}},"Volumes":{"/v":{}}},"rootfs":{"diff_ids":[]}})",
      "config");
  EXPECT_EQ(config.platform.architecture, Architecture::kArm64);
  EXPECT_THAT(config.exposed_ports, testing::ElementsAre(80u));
  EXPECT_THROW(ParseImageConfig(R"({"os":"windows","architecture":"amd64"})", "c"), Error);
  config = ParseImageConfig(
      R"({"os":"linux","architecture":"amd64","created":null,"config":{"User":null,"Labels":null,
          "ExposedPorts":{"53/udp":{},"443/tcp":{},"80":{}}},"rootfs":{"diff_ids":[]},
          "history":[{"created_by":null}]})",
      "config");
  EXPECT_THAT(config.exposed_ports, testing::ElementsAre(80u, 443u));
  EXPECT_EQ(config.history.size(), 1u);
}

// As docker's API has it ("HealthConfig"): a wrong unit would be a check a billion times as often.
TEST(ImageConfig, AHealthCheckIsAsDockerWritesIt) {
  const ImageConfig config{.health = HealthCheck{.command = {"/init", "health"}}};
  const auto json = nlohmann::json::parse(RenderImageConfig(config));
  EXPECT_EQ(json.at("config").at("Healthcheck"), nlohmann::json::parse(R"({
      "Test": ["CMD", "/init", "health"],
      "Interval": 30000000000, "Timeout": 10000000000, "StartPeriod": 30000000000})"));
  EXPECT_FALSE(ParseImageConfig(
                   R"({"os":"linux","architecture":"amd64","rootfs":{"diff_ids":[]},
                       "config":{"Healthcheck":{"Test":["CMD-SHELL","x"],"Interval":-1}}})",
                   "config")
                   .health);
}

TEST(Documents, HaveWhatTheSchemasDemand) {
  Descriptor entry = Blob(kOciManifest, "{}");
  entry.platform = Platform{Architecture::kAmd64};
  const auto index = nlohmann::json::parse(RenderImageIndex({.manifests = {entry}}));
  EXPECT_EQ(index.at("schemaVersion"), 2);
  EXPECT_EQ(index.at("mediaType"), kOciIndex);
  EXPECT_EQ(index.at("manifests")[0].at("platform").at("os"), "linux");
  const auto manifest = nlohmann::json::parse(
      RenderManifest({.config = Blob(kOciConfig, "{}"), .layers = {Blob(kOciLayerZstd, "x")}}));
  EXPECT_EQ(manifest.at("schemaVersion"), 2);
  EXPECT_EQ(manifest.at("config").at("mediaType"), kOciConfig);
  for (const auto& descriptor : {manifest.at("config"), manifest.at("layers")[0]}) {
    EXPECT_TRUE(descriptor.at("size").is_number_unsigned());
    EXPECT_TRUE(ParseDigest(descriptor.at("digest").get<std::string>()));
  }
  const auto config = nlohmann::json::parse(
      RenderImageConfig({.created = "1980-01-01T00:00:00Z",
                         .exposed_ports = {80},
                         .env = {{"A", "b"}},
                         .entrypoint = {"/init"},
                         .diff_ids = {HashOf("a")},
                         .history = {{.created_by = "x", .empty_layer = true}}}));
  EXPECT_EQ(config.at("rootfs").at("type"), "layers");
  EXPECT_TRUE(ParseDigest(config.at("rootfs").at("diff_ids")[0].get<std::string>()));
  EXPECT_EQ(config.at("config").at("Env")[0], "A=b");
  EXPECT_TRUE(config.at("config").at("ExposedPorts").at("80/tcp").is_object());
  EXPECT_EQ(config.at("history")[0].at("empty_layer"), true);
}

}  // namespace
}  // namespace imgbuild::specs
