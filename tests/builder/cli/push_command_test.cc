// `imgbuild push`, from its words to what a registry has then.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/copy_image.h"
#include "builder/cli/session.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"
#include "specs/oci/media_types.h"
#include "tests/support/mini_registry.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using specs::HashOf;
using testing::HasSubstr;

class PushCommandTest : public testing::Test {
 protected:
  PushCommandTest() {
    // Nothing of this machine's settings.
    setenv("CONTAINERS_REGISTRIES_CONF", (folder_.path() / "none.conf").c_str(), 1);
    setenv("REGISTRY_AUTH_FILE", (folder_.path() / "auth.json").c_str(), 1);
    for (const char* proxy : {"http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"}) {
      unsetenv(proxy);
    }
    std::ofstream(folder_.path() / "none.conf") << "";
    for (const std::string& blob : {layer_, config_}) source_.PutBlob("team/app", blob);
    source_.PutManifest("team/app", "v1", manifest_, std::string(specs::kOciManifest));
    for (const char* place : {"oci:image.oci:v1", "oci-archive:image.tar:v1",
                              "docker-archive:docker.tar:team/app:v1"}) {
      Session session(options_);
      CopyImage(session, {.from = ParsePlace("docker://" + source_.host() + "/team/app:v1"),
                          .to = ParsePlace(At(place)),
                          .platform = {},
                          .registry = {.insecure = true}});
    }
  }

  static std::string Link(const std::string& bytes, std::string_view type) {
    return R"({"mediaType":")" + std::string(type) + R"(","digest":")" + HashOf(bytes).Oci() +
           R"(","size":)" + std::to_string(bytes.size()) + "}";
  }

  // "TRANSPORT:PATH", in this test's folder.
  std::string At(const std::string& place) const {
    const std::size_t colon = place.find(':');
    return place.substr(0, colon + 1) + (folder_.path() / place.substr(colon + 1)).string();
  }

  void Push(const std::string& image, const std::string& tag) { PushTo(target_, image, tag); }
  void PushTo(const support::MiniRegistry& registry, const std::string& image,
              const std::string& tag) {
    CommandLine line("imgbuild", "", "");
    RunCommand run;
    AddPushCommand(line.program(), options_, run);
    line.Parse({"push", "--insecure", image, "docker://" + registry.host() + "/x/y:" + tag});
    EXPECT_EQ(run(), 0);
  }

  std::filesystem::path InCache(const specs::Sha256& blob) const {
    return folder_.path() / "cache/blobs/sha256" / blob.Hex().substr(0, 2) / blob.Hex();
  }
  // Another first byte, in a file of its own: others may be links of it.
  static void Damage(const std::filesystem::path& file) {
    std::string bytes = layers::ReadFile(file);
    bytes[0] = static_cast<char>(~bytes[0]);
    layers::WriteFileAtomically(file, bytes);
  }

  support::TempFolder folder_;
  const GlobalOptions options_{.cache_dir = folder_.path() / "cache",
                               .verbosity = Verbosity::kQuiet,
                               .style = ReportStyle::kPlain};
  const std::string layer_ = std::string(100'000, 'l');
  const std::string config_ = R"({"os":"linux","architecture":"amd64","rootfs":{"diff_ids":[")" +
                              HashOf(layer_).Oci() + R"("]}})";
  const std::string manifest_ = R"({"schemaVersion":2,"config":)" +
                                Link(config_, specs::kOciConfig) + R"(,"layers":[)" +
                                Link(layer_, specs::kOciLayer) + "]}";
  support::MiniRegistry source_;
  support::MiniRegistry target_;
};

TEST_F(PushCommandTest, TakesLayoutsAndArchives) {
  const std::vector<std::string> places = {At("oci:image.oci:v1"), At("oci-archive:image.tar"),
                                           At("oci-archive:image.tar:v1"),
                                           (folder_.path() / "image.oci").string()};
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::string tag = "v" + std::to_string(i);
    Push(places[i], tag);
    EXPECT_EQ(target_.tags().at("x/y:" + tag), HashOf(manifest_).Oci()) << places[i];
  }
}

TEST_F(PushCommandTest, LayersOfADockerArchiveAreCompressed) {
  Push(At("docker-archive:docker.tar"), "v1");
  const std::string manifest = target_.manifests().at("x/y@" + target_.tags().at("x/y:v1"));
  EXPECT_THAT(manifest, HasSubstr("layer.v1.tar+zstd"));
  EXPECT_THAT(manifest, HasSubstr(HashOf(config_).Oci()));
}

TEST_F(PushCommandTest, WhatIsDamagedInTheCacheIsReadFromTheArchiveAgain) {
  Damage(InCache(HashOf(layer_)));
  Damage(InCache(HashOf(config_)));
  Push(At("oci-archive:image.tar"), "v1");
  EXPECT_EQ(target_.blobs().at("x/y@" + HashOf(layer_).Oci()), layer_);
  EXPECT_EQ(target_.blobs().at("x/y@" + HashOf(config_).Oci()), config_);
  EXPECT_EQ(layers::HashFile(InCache(HashOf(layer_))), HashOf(layer_));

  // The plain layer, which is compressed before; then what was made of it.
  Damage(InCache(HashOf(layer_)));
  Push(At("docker-archive:docker.tar"), "v2");
  const std::string digest = target_.tags().at("x/y:v2");
  for (const auto& [name, bytes] : target_.blobs()) {
    EXPECT_EQ(name, "x/y@" + HashOf(bytes).Oci());
    Damage(InCache(HashOf(bytes)));
  }
  const support::MiniRegistry another;
  PushTo(another, At("docker-archive:docker.tar"), "v2");
  EXPECT_EQ(another.tags().at("x/y:v2"), digest);
}

TEST_F(PushCommandTest, WhatIsDamagedInALayoutIsTold) {
  const auto file = folder_.path() / "image.oci/blobs/sha256" / HashOf(layer_).Hex();
  Damage(file);
  try {
    Push(At("oci:image.oci:v1"), "v1");
    ADD_FAILURE();
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.kind(), specs::ErrorKind::kVerification);
    EXPECT_THAT(error.what(), HasSubstr(file.string() + " is damaged"));
  }
  EXPECT_TRUE(target_.tags().empty());
  EXPECT_FALSE(target_.blobs().contains("x/y@" + HashOf(layer_).Oci()));
}

TEST_F(PushCommandTest, WhatIsNoneIsToldByItsName) {
  std::ofstream(folder_.path() / "file.tar") << "x";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"docker://registry.example/team/app:v1", "imgbuild copy"},
      {"registry.example/team/app:v1", "imgbuild copy"},
      {(folder_.path() / "file.tar").string(), "perhaps oci-archive:"},
      {(folder_.path() / "missing.oci").string(), "missing.oci"},
      {"missing.oci:v1", "missing.oci"},
      {At("docker-archive:missing.tar"), "missing.tar"}};
  for (const auto& [image, part] : cases) {
    try {
      Push(image, "v1");
      ADD_FAILURE() << image;
    } catch (const specs::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(part)) << image;
    }
  }
  EXPECT_TRUE(target_.requests().empty());
}

}  // namespace
}  // namespace imgbuild::builder
