#include "builder/registry/blob_upload.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/builder/registry/blob_upload_fixture.h"

namespace imgbuild::builder {
namespace {

using support::MiniRegistry;
using support::RegistryLogin;
using support::ServedRequest;
using support::ServedResponse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class BlobUploadTest : public BlobUploadFixture {};

TEST_F(BlobUploadTest, UploadsOnceAndFindsItThen) {
  MiniRegistry server;
  BlobResult first = Upload(server);
  EXPECT_EQ(first.outcome, BlobOutcome::kUploaded);
  EXPECT_EQ(first.bytes_sent, kSize);
  EXPECT_TRUE(IsThere(server));
  EXPECT_EQ(told_, kSize);
  BlobResult second = Upload(server);
  EXPECT_EQ(second.outcome, BlobOutcome::kPresent);
  EXPECT_EQ(second.bytes_sent, 0u);
  EXPECT_EQ(told_, 0u);
}

TEST_F(BlobUploadTest, ASmallBlobGoesOutInTwoRequests) {
  MiniRegistry server;
  options_.resumable_size = kSize + 1;
  Upload(server);
  std::vector<std::string> methods;
  for (const ServedRequest& request : server.requests()) methods.push_back(request.method);
  EXPECT_THAT(methods, testing::ElementsAre("HEAD", "POST", "PUT"));
  EXPECT_TRUE(IsThere(server));
}

TEST_F(BlobUploadTest, MountsFromWhereItWasPushedBefore) {
  MiniRegistry server;
  Upload(server, "team/app");
  BlobResult other = Upload(server, "team/other");
  EXPECT_EQ(other.outcome, BlobOutcome::kMounted);
  EXPECT_EQ(other.bytes_sent, 0u);
  EXPECT_TRUE(IsThere(server, "team/other"));
}

TEST_F(BlobUploadTest, KeepsToTheRegistrysChunks) {
  MiniRegistry server({.chunk_min = 30'000, .chunk_max = 70'000});
  Upload(server);
  EXPECT_TRUE(IsThere(server));
  EXPECT_THAT(Sizes(server, "PATCH"), ElementsAre(70'000u, 70'000u, 70'000u, 70'000u));
  EXPECT_THAT(Sizes(server, "PUT"), ElementsAre(20'000u));
}

// Nothing goes out by PATCH that is smaller than a chunk may be; the last bytes go out with the
// end.
TEST_F(BlobUploadTest, TheLastChunkMayBeSmallerThanOthers) {
  for (std::size_t least : {std::size_t{1}, std::size_t{59'999}, std::size_t{60'000},
                            std::size_t{60'001}, std::size_t{70'000}, kSize, kSize + 1}) {
    MiniRegistry server({.chunk_min = least, .chunk_max = std::max<std::size_t>(least, 120'000)});
    options_.max_failures = 1;
    Upload(server);
    EXPECT_TRUE(IsThere(server)) << least;
    EXPECT_EQ(Sizes(server, "POST").size(), 1u) << least;
    for (std::size_t size : Sizes(server, "PATCH")) EXPECT_GE(size, least);
  }
}

TEST_F(BlobUploadTest, WhatARefusedMountBeganIsAnUploadAsAnyOther) {
  MiniRegistry server({.chunk_max = 150'000, .mounts = false});
  Upload(server, "team/other");  // where a mount would come from
  options_.max_failures = 1;
  CutPatches(server, 100'000);
  std::size_t before = server.requests().size();
  EXPECT_THROW(Upload(server), specs::Error);
  EXPECT_EQ(Sizes(server, "POST", before).size(), 1u);
  server.CutBodies({});
  before = server.requests().size();
  memory_.RememberHome(server.host(), "team/other", blob_.digest);  // what it begins is not needed
  Upload(server);
  EXPECT_TRUE(IsThere(server));
  EXPECT_THAT(Sizes(server, "PATCH", before), ElementsAre(150'000u, 50'000u));
  EXPECT_EQ(Sizes(server, "DELETE", before).size(), 1u);
}

TEST_F(BlobUploadTest, ARepositoryThatMayNotBeReadAnyMoreIsNoHindrance) {
  MiniRegistry server({.login = RegistryLogin::kToken, .forbidden = "team/secret"});
  memory_.RememberHome(server.host(), "team/secret", blob_.digest);
  EXPECT_EQ(Upload(server, "team/app", Ann()).outcome, BlobOutcome::kUploaded);
  EXPECT_TRUE(IsThere(server));
  EXPECT_EQ(memory_.HomeOf(server.host(), "team/third", blob_.digest), "team/app");
}

TEST_F(BlobUploadTest, AHomeThatDoesNotHaveItAnyMoreIsReplaced) {
  MiniRegistry server;
  memory_.RememberHome(server.host(), "team/old", blob_.digest);
  EXPECT_EQ(Upload(server, "team/app").outcome, BlobOutcome::kUploaded);
  EXPECT_EQ(Upload(server, "team/third").outcome, BlobOutcome::kMounted);
  EXPECT_TRUE(IsThere(server, "team/third"));
}

TEST_F(BlobUploadTest, AHomeIsForgottenForAnAnswerNotForSilence) {
  MiniRegistry server;
  options_.max_failures = 1;
  const auto home = [&] { return memory_.HomeOf(server.host(), "team/app", blob_.digest); };
  memory_.RememberHome(server.host(), "team/old", blob_.digest);
  server.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method != "POST") return {};
    return ServedResponse{.status = 503};
  });
  EXPECT_THROW(Upload(server), specs::Error);
  EXPECT_EQ(home(), "team/old");
  server.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method != "PATCH") return {};
    return ServedResponse{.status = 403};
  });
  EXPECT_THROW(Upload(server), specs::Error);
  EXPECT_EQ(home(), "");
}

TEST_F(BlobUploadTest, WhatIsSaidOfAHomeCountsWhereNoneIsKnown) {
  const std::string host = "registry.example";
  memory_.SuggestHome(host, "team/said", blob_.digest);
  EXPECT_EQ(memory_.HomeOf(host, "team/app", blob_.digest), "team/said");
  memory_.RememberHome(host, "team/seen", blob_.digest);
  memory_.SuggestHome(host, "team/said", blob_.digest);
  EXPECT_EQ(memory_.HomeOf(host, "team/app", blob_.digest), "team/seen");
}

TEST_F(BlobUploadTest, AMountThatGetsNoTokenNowIsNoHindrance) {
  MiniRegistry server({.login = RegistryLogin::kToken});
  memory_.RememberHome(server.host(), "team/other", blob_.digest);
  server.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.target.find("team%2Fother%3Apull") == std::string::npos) return {};
    return ServedResponse{.status = 503};
  });
  EXPECT_EQ(Upload(server, "team/app", Ann()).outcome, BlobOutcome::kUploaded);
  EXPECT_TRUE(IsThere(server));
}

TEST_F(BlobUploadTest, ATokenForAMountIsForTheMountAlone) {
  MiniRegistry server({.login = RegistryLogin::kToken, .mounts = false});
  memory_.RememberHome(server.host(), "team/other", blob_.digest);
  Upload(server, "team/app", Ann());
  std::vector<std::string> scopes;
  for (const ServedRequest& request : server.requests()) {
    if (request.target.starts_with("/token")) scopes.push_back(request.target);
  }
  ASSERT_GE(scopes.size(), 3u);  // before, for and after the mount: the mini registry knows one
  EXPECT_THAT(scopes[0], Not(HasSubstr("other")));
  EXPECT_THAT(scopes[1], HasSubstr("team%2Fother%3Apull"));
  EXPECT_THAT(scopes[2], Not(HasSubstr("other")));
}

TEST_F(BlobUploadTest, AChangedFileNeverCountsAsTheBlob) {
  MiniRegistry server;
  layers::WriteFileAtomically(blob_.file, Noise(kSize, 2));
  EXPECT_THROW(Upload(server), specs::Error);
  EXPECT_TRUE(server.blobs().empty());
}

}  // namespace
}  // namespace imgbuild::builder
