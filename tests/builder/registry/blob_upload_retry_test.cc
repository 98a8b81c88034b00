#include <chrono>
#include <optional>

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
using testing::HasSubstr;

class BlobUploadRetryTest : public BlobUploadFixture {};

// The client tries twice by itself, and this is tried again in whole.
TEST_F(BlobUploadRetryTest, TriesAreNotMultiplied) {
  for (const char* method : {"POST", "PATCH", "PUT"}) {
    MiniRegistry server;
    server.AnswerBy([=](std::size_t, const ServedRequest& request) {
      return request.method == method ? std::optional(ServedResponse{.status = 503}) : std::nullopt;
    });
    EXPECT_THROW(Upload(server), specs::Error);
    EXPECT_EQ(static_cast<int>(Sizes(server, method).size()), options_.max_failures) << method;
  }
}

TEST_F(BlobUploadRetryTest, ARegistryThatAsksForALongWaitIsNotAskedBefore) {
  for (const char* method : {"POST", "PATCH", "PUT"}) {
    for (const bool mounts : {false, true}) {
      MiniRegistry server;
      if (mounts) memory_.RememberHome(server.host(), "team/other", blob_.digest);
      server.AnswerBy([=](std::size_t, const ServedRequest& request) {
        return request.method == method ? std::optional(ServedResponse{
                                              .status = 429, .headers = {{"Retry-After", "300"}}})
                                        : std::nullopt;
      });
      try {
        Upload(server);
        ADD_FAILURE() << "no error";
      } catch (const specs::Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("429 and asks to wait 300 s"));
      }
      EXPECT_EQ(Sizes(server, method).size(), 1u) << method;
      // What went out by then is not lost to the next run.
      EXPECT_EQ(Note(server).has_value(), std::string_view(method) != "POST") << method;
    }
  }
}

TEST_F(BlobUploadRetryTest, AWaitIsAsLongAsTheRegistryAsksForAndTold) {
  MiniRegistry server;
  server.AnswerBy([refused = false](std::size_t, const ServedRequest& request) mutable {
    if (request.method != "PATCH" || std::exchange(refused, true)) {
      return std::optional<ServedResponse>();
    }
    return std::optional(ServedResponse{.status = 503, .headers = {{"Retry-After", "1"}}});
  });
  std::vector<HttpWait> told;
  CurlClient client({.user_agent = "test",
                     .backoff_ms = 1,
                     .waiting = [&](const HttpWait& wait) { told.push_back(wait); },
                     .noticed_ms = 500});
  Registry registry(client,
                    {.host = server.host(),
                     .repository = "team/app",
                     .transport = Transport::kFallback,
                     .tls = nullptr},
                    {}, Access::kPush);
  const auto begin = std::chrono::steady_clock::now();
  UploadBlob(
      registry, memory_, blob_, [](std::uint64_t) {}, options_);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  EXPECT_TRUE(IsThere(server));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].server, server.host());
  EXPECT_EQ(told[0].milliseconds, 1'000u);
  EXPECT_THAT(told[0].reason, HasSubstr("cannot upload a blob: " + server.host()));
}

TEST_F(BlobUploadRetryTest, ATokenServerThatIsDownForAWhileIsNoRefusal) {
  MiniRegistry server({.login = RegistryLogin::kToken, .token_uses = 2});
  int asked = 0;
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (!request.target.starts_with("/token")) return {};
    ++asked;
    if (asked == 1 || asked > 5) return {};
    return ServedResponse{.status = 503};
  });
  Upload(server, "team/app", Ann());
  EXPECT_TRUE(IsThere(server));
  EXPECT_GT(asked, 5);
}

// What the registry has does not grow then, by its own word.
TEST_F(BlobUploadRetryTest, ARegistryThatTellsOfTheLastChunkAloneIsNotFedForEver) {
  MiniRegistry server({.chunk_max = 70'000, .ranges_of_last_chunk = true});
  server.AnswerBy([](std::size_t number, const ServedRequest&) -> std::optional<ServedResponse> {
    if (number < 200) return {};
    return ServedResponse{.status = 403};
  });
  try {
    Upload(server);
    ADD_FAILURE() << "no error";
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no more of it"));
  }
  EXPECT_LT(server.requests().size(), 50u);
}

TEST_F(BlobUploadRetryTest, ALostAnswerToTheEndIsNoSecondUpload) {
  MiniRegistry server;
  bool lost = false;
  server.CutBodies([&](std::size_t, const ServedRequest&) { return std::nullopt; });
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method != "PUT" || lost) return std::nullopt;
    lost = true;
    server.PutBlobLocked("team/app", bytes_);
    return ServedResponse{.status = 502};
  });
  Upload(server);
  EXPECT_TRUE(IsThere(server));
  std::size_t received = 0;
  for (const ServedRequest& request : server.requests()) received += request.body.size();
  EXPECT_EQ(received, kSize);
}

TEST_F(BlobUploadRetryTest, GivesUpWhereNothingHelps) {
  for (int status : {403, 500}) {
    MiniRegistry server;
    server.AnswerBy(
        [&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
          if (request.method == "HEAD" || request.method == "GET") return std::nullopt;
          return ServedResponse{.status = status};
        });
    EXPECT_THROW(Upload(server), specs::Error) << status;
    EXPECT_LT(server.requests().size(), 40u);
    EXPECT_FALSE(IsThere(server));
  }
}

}  // namespace
}  // namespace imgbuild::builder
