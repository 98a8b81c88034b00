#include "builder/cli/copy_image.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/registry/referrers.h"
#include "layers/image/image_source.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"
#include "specs/oci/media_types.h"
#include "tests/support/mini_registry.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using specs::Error;
using specs::ErrorKind;
using specs::HashOf;
using support::MiniRegistry;
using support::ServedRequest;
using testing::HasSubstr;

class CopyImageTest : public testing::Test {
 protected:
  CopyImageTest() {
    // Nothing of this machine's settings.
    setenv("CONTAINERS_REGISTRIES_CONF", (folder_.path() / "none.conf").c_str(), 1);
    setenv("REGISTRY_AUTH_FILE", (folder_.path() / "auth.json").c_str(), 1);
    for (const char* proxy : {"http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"}) {
      unsetenv(proxy);
    }
    std::ofstream(folder_.path() / "none.conf") << "";
    for (const std::string& blob : {layer_, config_}) one_.PutBlob("team/app", blob);
    one_.PutManifest("team/app", "v1", manifest_, std::string(specs::kOciManifest));
  }

  static std::string Link(const std::string& bytes, std::string_view type) {
    return R"({"mediaType":")" + std::string(type) + R"(","digest":")" + HashOf(bytes).Oci() +
           R"(","size":)" + std::to_string(bytes.size()) + "}";
  }

  // With a session of its own, as each run of the program has.
  void Copy(const std::string& from, const std::string& to,
            CopyReferrers referrers = CopyReferrers::kNo, CopyForm form = CopyForm::kAsIs) {
    Session session({.cache_dir = folder_.path() / "cache",
                     .verbosity = Verbosity::kQuiet,
                     .style = ReportStyle::kPlain});
    CopyRequest request{.from = ParsePlace(from),
                        .to = ParsePlace(to),
                        .platform = {},
                        .referrers = referrers,
                        .form = form,
                        .registry = {}};
    request.registry.insecure = true;
    CopyImage(session, request);
  }

  std::string In(const MiniRegistry& registry, const std::string& name) const {
    return "docker://" + registry.host() + "/" + name;
  }
  std::string At(const std::string& transport, const std::string& name) const {
    return transport + (folder_.path() / name).string();
  }

  static std::size_t BlobsRead(const MiniRegistry& registry) {
    std::size_t count = 0;
    for (const ServedRequest& request : registry.requests()) {
      if (request.method == "GET" && request.target.find("/blobs/sha256") != std::string::npos) {
        ++count;
      }
    }
    return count;
  }

  void Damage(const std::string& blob) const {
    const std::string hex = HashOf(blob).Hex();
    const fs::path path = folder_.path() / "cache/blobs/sha256" / hex.substr(0, 2) / hex;
    fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
    std::fstream(path, std::ios::in | std::ios::out) << "@";
  }

  support::TempFolder folder_;
  const std::string layer_ = std::string(100'000, 'l');
  const std::string config_ = R"({"os":"linux","architecture":"amd64","rootfs":{"diff_ids":[")" +
                              HashOf(layer_).Oci() + R"("]}})";
  const std::string manifest_ = R"({"schemaVersion":2,"config":)" +
                                Link(config_, specs::kOciConfig) + R"(,"layers":[)" +
                                Link(layer_, specs::kOciLayer) + "]}";
  const std::string digest_ = HashOf(manifest_).Oci();
  MiniRegistry one_;
  MiniRegistry two_;
};

TEST_F(CopyImageTest, AroundThroughEveryPlaceToTheSameDigest) {
  Copy(In(one_, "team/app:v1"), At("oci:", "a.oci"));
  Copy(At("oci:", "a.oci:v1"), At("oci-archive:", "a.tar"));
  Copy(At("oci-archive:", "a.tar:v1"), At("oci:", "b.oci:other"));
  Copy(At("oci:", "b.oci"), In(two_, "x/y:v2"));
  EXPECT_EQ(two_.tags().at("x/y:v2"), digest_);
  EXPECT_EQ(layers::OpenLayout(folder_.path() / "b.oci", "other").documents.back().bytes,
            manifest_);
}

TEST_F(CopyImageTest, FromADockerArchiveARegistryGetsCompressedLayers) {
  Copy(In(one_, "team/app:v1"), At("docker-archive:", "d.tar"));
  Copy(At("docker-archive:", "d.tar"), At("oci:", "d.oci"));
  const layers::ImageSource image = layers::OpenLayout(folder_.path() / "d.oci", "v1");
  EXPECT_EQ(image.blobs.at(0).descriptor.digest, HashOf(config_));
  EXPECT_EQ(image.blobs.at(1).descriptor.digest, HashOf(layer_));
  Copy(At("docker-archive:", "d.tar:team/app:v1"), In(two_, "x/y:v1"));
  const std::string manifest = two_.manifests().at("x/y@" + two_.tags().at("x/y:v1"));
  EXPECT_THAT(manifest, HasSubstr(specs::kOciLayerZstd));
  EXPECT_THAT(manifest, HasSubstr(HashOf(config_).Oci()));
}

TEST_F(CopyImageTest, BetweenRegistriesAndOnlyWhatIsNotThere) {
  two_.PutBlob("x/y", layer_);
  Copy(In(one_, "team/app:v1"), In(two_, "x/y:v1"));
  EXPECT_EQ(two_.tags().at("x/y:v1"), digest_);
  EXPECT_EQ(BlobsRead(one_), 1u);  // the configuration
  Copy(In(one_, "team/app@" + digest_), In(two_, "x/y:v2"));
  EXPECT_EQ(two_.tags().at("x/y:v2"), digest_);
  EXPECT_EQ(BlobsRead(one_), 1u);
}

TEST_F(CopyImageTest, WithinARegistryNothingIsFetched) {
  Copy(In(one_, "team/app:v1"), In(one_, "other/app:v9"));
  EXPECT_EQ(one_.tags().at("other/app:v9"), digest_);
  EXPECT_TRUE(one_.blobs().contains("other/app@" + HashOf(layer_).Oci()));
  EXPECT_EQ(BlobsRead(one_), 0u);
}

TEST_F(CopyImageTest, WhatIsDamagedInTheCacheIsFetchedAgain) {
  Copy(In(one_, "team/app:v1"), At("oci:", "a.oci"));
  Damage(layer_);
  Copy(In(one_, "team/app:v1"), At("oci:", "b.oci"));
  EXPECT_EQ(layers::HashFile(folder_.path() / "b.oci/blobs/sha256" / HashOf(layer_).Hex()),
            HashOf(layer_));
  Damage(layer_);
  Copy(In(one_, "team/app:v1"), In(two_, "x/y:v1"));
  EXPECT_EQ(two_.blobs().at("x/y@" + HashOf(layer_).Oci()), layer_);
}

TEST_F(CopyImageTest, WhatIsAttachedGoesAlongAndWhatIsAttachedToThat) {
  auto attach = [&](const std::string& subject, const std::string& what) {
    one_.PutBlob("team/app", what);
    const std::string artifact = R"({"schemaVersion":2,"artifactType":"x/sbom","config":)" +
                                 Link(what, "x/config") + R"(,"layers":[],"subject":)" +
                                 Link(subject, specs::kOciManifest) + "}";
    one_.PutManifest("team/app", "unused", artifact, std::string(specs::kOciManifest));
    one_.PutManifest(
        "team/app", ReferrersTag(HashOf(subject)),
        R"({"schemaVersion":2,"manifests":[)" + Link(artifact, specs::kOciManifest) + "]}",
        std::string(specs::kOciIndex));
    return artifact;
  };
  const std::string sbom = attach(manifest_, "an sbom");
  const std::string signature = attach(sbom, "its signature");
  Copy(In(one_, "team/app:v1"), In(two_, "x/y:v1"), CopyReferrers::kYes);
  for (const std::string& artifact : {sbom, signature}) {
    EXPECT_TRUE(two_.manifests().contains("x/y@" + HashOf(artifact).Oci()));
  }
  EXPECT_TRUE(two_.tags().contains("x/y:" + ReferrersTag(HashOf(manifest_))));
  EXPECT_TRUE(two_.tags().contains("x/y:" + ReferrersTag(HashOf(sbom))));
  EXPECT_TRUE(two_.blobs().contains("x/y@" + HashOf("its signature").Oci()));
}

TEST_F(CopyImageTest, WhatMakesNoSenseIsRefusedBeforeAnyWork) {
  const std::string from = In(one_, "team/app:v1");
  auto refused = [&](auto... arguments) {
    try {
      Copy(arguments...);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage) << error.what();
    }
  };
  refused(from, In(two_, "x/y@" + digest_));
  refused(from, At("oci:", "a.oci"), CopyReferrers::kYes);
  refused(from, In(two_, "x/y"), CopyReferrers::kYes, CopyForm::kOci);
  EXPECT_THROW(Copy(from, At("oci:", "")), Error);  // a folder that is no layout
  EXPECT_THROW(Copy(from, At("oci-archive:", "no/such/folder.tar")), Error);
  EXPECT_TRUE(one_.requests().empty());
}

}  // namespace
}  // namespace imgbuild::builder
