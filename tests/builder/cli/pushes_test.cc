#include "builder/cli/pushes.h"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/atomic_file.h"
#include "specs/base/error.h"
#include "specs/oci/media_types.h"
#include "tests/support/mini_registry.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(PushTargets, TagsOfOneRepositoryAreOneTarget) {
  const std::vector<PushTarget> targets =
      ParsePushTargets({"docker://registry.example/team/app:v1", "registry.example/other/app",
                        "registry.example/team/app:v2", "registry.example/team/app:v1"});
  ASSERT_EQ(targets.size(), 2u);
  EXPECT_EQ(targets[0].repository.Name(), "registry.example/team/app");
  EXPECT_THAT(targets[0].tags, ElementsAre("v1", "v2"));
  EXPECT_THAT(targets[1].tags, ElementsAre("latest"));
  EXPECT_EQ(targets[1].Name(), "registry.example/other/app:latest");
}

TEST(PushTargets, DigestsAndNamesWithoutAHostAreRefused) {
  EXPECT_THROW(ParsePushTargets({"registry.example/a@sha256:" + std::string(64, 'a')}),
               specs::Error);
  EXPECT_THROW(ParsePushTargets({"team/app:v1"}), specs::Error);
}

TEST(Annotations, AreKeysAndValues) {
  EXPECT_THAT(ParseAnnotations({"a=1", "b=x=y", "c=", "a=2"}),
              ElementsAre(Pair("a", "2"), Pair("b", "x=y"), Pair("c", "")));
  EXPECT_THROW(ParseAnnotations({"a"}), specs::Error);
  EXPECT_THROW(ParseAnnotations({"=a"}), specs::Error);
}

class PushesTest : public testing::Test {
 protected:
  PushesTest() {
    // Nothing of this machine's settings.
    setenv("CONTAINERS_REGISTRIES_CONF", (folder_.path() / "none.conf").c_str(), 1);
    setenv("REGISTRY_AUTH_FILE", (folder_.path() / "auth.json").c_str(), 1);
    for (const char* proxy : {"http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"}) {
      unsetenv(proxy);
    }
    std::ofstream(folder_.path() / "none.conf") << "";
    for (const char* name : {"one", "two", "three"}) {
      const std::string bytes = name + std::string(50'000, 'x');
      layers::WriteFileAtomically(folder_.path() / name, bytes);
      image_.blobs.push_back({Of(bytes, specs::kOciLayer), folder_.path() / name});
    }
    image_.documents.push_back({Of("{}", specs::kOciManifest), "{}"});
  }

  static specs::Descriptor Of(const std::string& bytes, std::string_view type) {
    return {.media_type = std::string(type),
            .digest = specs::HashOf(bytes),
            .size = bytes.size(),
            .platform = {},
            .annotations = {}};
  }

  // Its blobs one by one, as a build makes layers.
  std::vector<Pushed> Push(const std::vector<std::string>& places) {
    Session session({.cache_dir = folder_.path() / "cache",
                     .verbosity = Verbosity::kQuiet,
                     .style = ReportStyle::kPlain});
    Pushes pushes(session, ParsePushTargets(places), {.insecure = true});
    for (const layers::SourceBlob& blob : image_.blobs) {
      pushes.Add({blob.descriptor.digest, blob.descriptor.size, blob.path});
    }
    return pushes.Finish(image_);
  }

  static std::size_t Received(const support::MiniRegistry& registry) {
    std::size_t bytes = 0;
    for (const support::ServedRequest& request : registry.requests()) {
      if (request.target.find("/blobs/uploads/") != std::string::npos) bytes += request.body.size();
    }
    return bytes;
  }

  support::TempFolder folder_;
  layers::ImageSource image_;
};

TEST_F(PushesTest, ARegistryReceivesEachBlobOnce) {
  std::size_t size = 0;
  for (const layers::SourceBlob& blob : image_.blobs) size += blob.descriptor.size;
  const support::MiniRegistry one;
  const support::MiniRegistry two;
  const std::vector<Pushed> pushed =
      Push({one.host() + "/team/app:1", one.host() + "/other/app:1", two.host() + "/team/app:1"});
  ASSERT_EQ(pushed.size(), 3u);
  EXPECT_EQ(pushed[0].result.uploaded + pushed[1].result.uploaded, 3u);
  EXPECT_EQ(pushed[0].result.mounted + pushed[1].result.mounted, 3u);
  EXPECT_EQ(pushed[2].result.uploaded, 3u);
  for (const support::MiniRegistry* registry : {&one, &two}) {
    EXPECT_EQ(Received(*registry), size);
    for (const auto& [name, digest] : registry->tags()) {
      EXPECT_EQ(digest, image_.root().digest.Oci()) << name;
    }
  }
  EXPECT_EQ(one.tags().size(), 2u);
  EXPECT_EQ(one.blobs().size(), 6u);
}

}  // namespace
}  // namespace imgbuild::builder
