#include <optional>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/registry/blob_upload.h"
#include "tests/builder/registry/blob_upload_fixture.h"

namespace imgbuild::builder {
namespace {

using support::MiniRegistry;
using support::RegistryLogin;
using support::ServedRequest;
using support::ServedResponse;
using testing::ElementsAre;

class BlobUploadResumeTest : public BlobUploadFixture {};

TEST_F(BlobUploadResumeTest, GoesOnWhereItWasCut) {
  for (std::size_t at : {std::size_t{0}, std::size_t{1}, std::size_t{150'000}, kSize - 1}) {
    MiniRegistry server;
    bool cut = false;
    server.CutBodies([&](std::size_t, const ServedRequest& request) -> std::optional<std::size_t> {
      if (request.method != "PATCH" || cut) return std::nullopt;
      cut = true;
      return at;
    });
    Upload(server);
    EXPECT_TRUE(IsThere(server)) << at;
    std::size_t received = 0;
    for (const ServedRequest& request : server.requests()) received += request.body.size();
    // One byte cannot be told from none, as registries say it: then all is sent again.
    if (at != 1) {
      EXPECT_EQ(received, kSize) << at;
    }
    EXPECT_EQ(told_, kSize);
  }
}

TEST_F(BlobUploadResumeTest, BeginsAnewWhereTheRegistryForgot) {
  MiniRegistry server({.keeps_cut_uploads = false});
  bool cut = false;
  server.CutBodies([&](std::size_t, const ServedRequest& request) -> std::optional<std::size_t> {
    if (request.method != "PATCH" || cut) return std::nullopt;
    cut = true;
    return 1000;
  });
  Upload(server);
  EXPECT_TRUE(IsThere(server));
}

TEST_F(BlobUploadResumeTest, ASessionThatCannotBeAskedForAWhileIsKept) {
  options_.max_failures = 6;
  for (const ServedResponse& answer :
       {ServedResponse{.status = 503},
        ServedResponse{.status = 429, .headers = {{"Retry-After", "0"}}},
        ServedResponse{.status = 200, .headers = {}, .body = "", .vanish = true}}) {
    MiniRegistry server;
    CutFirstPatch(server, 200'000);
    AnswerQuestions(server, 3, answer);
    Upload(server);
    EXPECT_TRUE(IsThere(server));
    EXPECT_EQ(Received(server), kSize) << answer.status;  // nothing twice
    EXPECT_EQ(Sizes(server, "POST").size(), 1u);
    EXPECT_EQ(told_, kSize);
  }
}

// As some registries answer for a session that they have lost.
TEST_F(BlobUploadResumeTest, ASessionThatCanNeverBeAskedIsLeftInTheEnd) {
  MiniRegistry server;
  CutFirstPatch(server, 200'000);
  AnswerQuestions(server, 100, {.status = 500});
  Upload(server);
  EXPECT_TRUE(IsThere(server));
  EXPECT_EQ(Sizes(server, "POST").size(), 2u);
  EXPECT_EQ(Sizes(server, "GET").size(), 3u);  // in all tries but the first
}

TEST_F(BlobUploadResumeTest, ALaterRunThatCannotAskAtOnceGoesOnToo) {
  MiniRegistry server;
  options_.max_failures = 1;
  CutPatches(server, 200'000);
  EXPECT_THROW(Upload(server), specs::Error);
  server.CutBodies({});
  const std::optional<UploadSession> note = Note(server);
  ASSERT_TRUE(note);

  options_.max_failures = 4;
  server.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method == "HEAD") return {};
    return ServedResponse{.status = 503};
  });
  EXPECT_THROW(Upload(server), specs::Error);
  EXPECT_EQ(Note(server), note);

  AnswerQuestions(server, 2, {.status = 503});
  const std::size_t before = server.requests().size();
  Upload(server);
  EXPECT_TRUE(IsThere(server));
  EXPECT_EQ(Received(server, before), kSize - 200'000);
}

TEST_F(BlobUploadResumeTest, ALaterRunGoesOnToo) {
  MiniRegistry server;
  options_.max_failures = 1;
  server.CutBodies([&](std::size_t, const ServedRequest& request) -> std::optional<std::size_t> {
    return request.method == "PATCH" ? std::optional<std::size_t>(200'000) : std::nullopt;
  });
  EXPECT_THROW(Upload(server), specs::Error);
  server.CutBodies({});
  const std::size_t before = server.requests().size();
  Upload(server);
  EXPECT_TRUE(IsThere(server));
  std::size_t received = 0;
  const std::vector<ServedRequest> requests = server.requests();
  for (std::size_t i = before; i < requests.size(); ++i) received += requests[i].body.size();
  EXPECT_EQ(received, kSize - 200'000);
}

TEST_F(BlobUploadResumeTest, ALaterRunKeepsToTheChunksOfTheFirst) {
  MiniRegistry server({.chunk_min = 20'000, .chunk_max = 70'000});
  options_.max_failures = 1;
  int patches = 0;
  server.CutBodies([&](std::size_t, const ServedRequest& request) -> std::optional<std::size_t> {
    if (request.method != "PATCH" || ++patches < 3) return std::nullopt;
    return 10'000;
  });
  EXPECT_THROW(Upload(server), specs::Error);
  ASSERT_TRUE(Note(server));
  EXPECT_EQ(Note(server)->max_chunk, 70'000u);
  server.CutBodies({});
  const std::size_t before = server.requests().size();
  Upload(server);
  EXPECT_TRUE(IsThere(server));
  EXPECT_THAT(Sizes(server, "PATCH", before), ElementsAre(70'000u, 70'000u));
  EXPECT_THAT(Sizes(server, "PUT", before), ElementsAre(10'000u));
}

TEST_F(BlobUploadResumeTest, AnUploadOfAnEarlierRunThatIsNotTakenAnyMoreBeginsAnew) {
  MiniRegistry server;
  options_.max_failures = 1;
  CutPatches(server, 200'000);
  EXPECT_THROW(Upload(server), specs::Error);
  server.CutBodies({});
  server.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method != "PATCH" || !request.headers.contains("content-range")) return {};
    return ServedResponse{.status = 413};
  });
  options_.max_failures = 2;
  Upload(server);
  EXPECT_TRUE(IsThere(server));
}

TEST_F(BlobUploadResumeTest, WhatIsNeverTakenLeavesNoNote) {
  MiniRegistry server;
  server.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method != "PATCH") return {};
    return ServedResponse{.status = 413};
  });
  EXPECT_THROW(Upload(server), specs::Error);
  EXPECT_EQ(Note(server), std::nullopt);
}

// As after a push without TLS, in which a login must not follow.
TEST_F(BlobUploadResumeTest, AnUploadOfAnEarlierRunAtAnotherPlaceIsLeft) {
  MiniRegistry server({.login = RegistryLogin::kBasic});
  MiniRegistry other;
  memory_.RememberUpload(server.host() + "/team/app", blob_.digest,
                         {.url = "http://" + other.host() + "/v2/team/app/blobs/uploads/s0"});
  Upload(server, "team/app", Ann());
  EXPECT_TRUE(IsThere(server));
  EXPECT_TRUE(other.requests().empty());
}

}  // namespace
}  // namespace imgbuild::builder
