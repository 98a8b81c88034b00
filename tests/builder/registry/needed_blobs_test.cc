#include "builder/registry/needed_blobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/oci/media_types.h"
#include "tests/builder/registry/registry_fixture.h"

namespace imgbuild::builder {
namespace {

using support::MiniRegistry;
using support::ServedRequest;
using support::ServedResponse;

class NeededBlobsTest : public RegistryFixture {
 protected:
  static specs::Descriptor Of(const std::string& bytes) {
    return {.media_type = "x",
            .digest = specs::HashOf(bytes),
            .size = bytes.size(),
            .platform = {},
            .annotations = {}};
  }

  const std::vector<specs::Descriptor> blobs_ = {Of("one"), Of("two"), Of("three")};
};

TEST_F(NeededBlobsTest, WhatIsThereOrCanBeMountedIsNotNeeded) {
  MiniRegistry server;
  server.PutBlob("team/app", "one");
  server.PutBlob("other/app", "two");
  Registry registry = Open(server);
  EXPECT_EQ(NeededBlobs(registry, memory_, "", blobs_),
            (std::vector<specs::Descriptor>{blobs_[1], blobs_[2]}));
  EXPECT_EQ(NeededBlobs(registry, memory_, "other/app", blobs_),
            std::vector<specs::Descriptor>{blobs_[2]});
  EXPECT_TRUE(server.blobs().contains("team/app@" + blobs_[1].digest.Oci()));
  // From where an earlier push put it.
  server.PutBlob("third/app", "three");
  memory_.RememberHome(server.host(), "third/app", blobs_[2].digest);
  EXPECT_TRUE(NeededBlobs(registry, memory_, "other/app", blobs_).empty());
}

TEST_F(NeededBlobsTest, AnUploadThatWasBegunInsteadIsCancelled) {
  MiniRegistry server;
  Registry registry = Open(server);
  EXPECT_EQ(NeededBlobs(registry, memory_, "other/app", {blobs_[0]}).size(), 1u);
  const ServedRequest last = server.requests().back();
  EXPECT_EQ(last.method, "DELETE");
  EXPECT_NE(last.target.find("/blobs/uploads/"), std::string::npos);
}

TEST_F(NeededBlobsTest, WhatCannotBeMountedNowIsNeeded) {
  MiniRegistry server;
  server.PutBlob("other/app", "one");
  server.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method != "POST") return std::nullopt;
    return ServedResponse{.status = 200, .headers = {}, .body = "", .vanish = true};
  });
  Registry registry = Open(server);
  EXPECT_EQ(NeededBlobs(registry, memory_, "other/app", {blobs_[0]}).size(), 1u);
}

TEST_F(NeededBlobsTest, ManifestsByTheirDigest) {
  MiniRegistry server;
  server.PutManifest("team/app", "v1", "{}", std::string(specs::kOciManifest));
  Registry registry = Open(server);
  EXPECT_TRUE(HasManifest(registry, Of("{}")));
  EXPECT_FALSE(HasManifest(registry, Of("[]")));
}

}  // namespace
}  // namespace imgbuild::builder
