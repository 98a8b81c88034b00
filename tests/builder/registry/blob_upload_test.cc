#include "builder/registry/blob_upload.h"

#include <chrono>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/atomic_file.h"
#include "specs/base/error.h"
#include "tests/builder/registry/registry_fixture.h"

namespace imgbuild::builder {
namespace {

using support::MiniRegistry;
using support::RegistryLogin;
using support::ServedRequest;
using support::ServedResponse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kSize = 300'000;

class BlobUploadTest : public RegistryFixture {
 protected:
  BlobUploadTest() {
    layers::WriteFileAtomically(folder_.path() / "blob", bytes_);
    blob_ = {specs::HashOf(bytes_), bytes_.size(), folder_.path() / "blob"};
  }

  BlobResult Upload(const MiniRegistry& server, const std::string& repository = "team/app",
                    Credentials credentials = {}) {
    Registry registry = Open(server, std::move(credentials), repository);
    told_ = 0;
    return UploadBlob(
        registry, memory_, blob_, [this](std::uint64_t bytes) { told_ += bytes; }, options_);
  }

  // Cuts the body of each PATCH after so many bytes.
  static void CutPatches(MiniRegistry& server, std::size_t bytes) {
    server.CutBodies([=](std::size_t, const ServedRequest& request) {
      return request.method == "PATCH" ? std::optional(bytes) : std::nullopt;
    });
  }

  // The sizes of bodies from that request on.
  static std::vector<std::size_t> Sizes(const MiniRegistry& server, const std::string& method,
                                        std::size_t from = 0) {
    std::vector<std::size_t> sizes;
    const std::vector<ServedRequest> requests = server.requests();
    for (std::size_t i = from; i < requests.size(); ++i) {
      if (requests[i].method == method) sizes.push_back(requests[i].body.size());
    }
    return sizes;
  }

  // Bytes of all bodies from that request on.
  static std::size_t Received(const MiniRegistry& server, std::size_t from = 0) {
    std::size_t received = 0;
    const std::vector<ServedRequest> requests = server.requests();
    for (std::size_t i = from; i < requests.size(); ++i) received += requests[i].body.size();
    return received;
  }

  // Cuts the first PATCH after so many bytes.
  static void CutFirstPatch(MiniRegistry& server, std::size_t bytes) {
    server.CutBodies([=, cut = false](std::size_t, const ServedRequest& request) mutable {
      if (request.method != "PATCH" || cut) return std::optional<std::size_t>();
      cut = true;
      return std::optional(bytes);
    });
  }

  // Answers that to the first `times` questions how far an upload is.
  static void AnswerQuestions(MiniRegistry& server, int times, const ServedResponse& answer) {
    server.AnswerBy([=](std::size_t, const ServedRequest& request) mutable {
      if (request.method != "GET" || request.target.find("/blobs/uploads/") == std::string::npos ||
          times == 0) {
        return std::optional<ServedResponse>();
      }
      --times;
      return std::optional(answer);
    });
  }

  std::optional<UploadSession> Note(const MiniRegistry& server) {
    return memory_.UnfinishedUpload(server.host() + "/team/app", blob_.digest);
  }

  bool IsThere(const MiniRegistry& server, const std::string& repository = "team/app") {
    const auto blobs = server.blobs();
    const auto found = blobs.find(repository + "@" + blob_.digest.Oci());
    return found != blobs.end() && found->second == bytes_;
  }

  const std::string bytes_ = Noise(kSize);
  PushBlob blob_;
  UploadOptions options_{.max_failures = 4, .backoff_ms = 1, .resumable_size = 100'000};
  std::uint64_t told_ = 0;
};

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

TEST_F(BlobUploadTest, GoesOnWhereItWasCut) {
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

TEST_F(BlobUploadTest, BeginsAnewWhereTheRegistryForgot) {
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

TEST_F(BlobUploadTest, ASessionThatCannotBeAskedForAWhileIsKept) {
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
TEST_F(BlobUploadTest, ASessionThatCanNeverBeAskedIsLeftInTheEnd) {
  MiniRegistry server;
  CutFirstPatch(server, 200'000);
  AnswerQuestions(server, 100, {.status = 500});
  Upload(server);
  EXPECT_TRUE(IsThere(server));
  EXPECT_EQ(Sizes(server, "POST").size(), 2u);
  EXPECT_EQ(Sizes(server, "GET").size(), 3u);  // in all tries but the first
}

TEST_F(BlobUploadTest, ALaterRunThatCannotAskAtOnceGoesOnToo) {
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

TEST_F(BlobUploadTest, ALaterRunGoesOnToo) {
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

TEST_F(BlobUploadTest, ALaterRunKeepsToTheChunksOfTheFirst) {
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

TEST_F(BlobUploadTest, AnUploadOfAnEarlierRunThatIsNotTakenAnyMoreBeginsAnew) {
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

TEST_F(BlobUploadTest, WhatIsNeverTakenLeavesNoNote) {
  MiniRegistry server;
  server.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method != "PATCH") return {};
    return ServedResponse{.status = 413};
  });
  EXPECT_THROW(Upload(server), specs::Error);
  EXPECT_EQ(Note(server), std::nullopt);
}

// As after a push without TLS, in which a login must not follow.
TEST_F(BlobUploadTest, AnUploadOfAnEarlierRunAtAnotherPlaceIsLeft) {
  MiniRegistry server({.login = RegistryLogin::kBasic});
  MiniRegistry other;
  memory_.RememberUpload(server.host() + "/team/app", blob_.digest,
                         {.url = "http://" + other.host() + "/v2/team/app/blobs/uploads/s0"});
  Upload(server, "team/app", Ann());
  EXPECT_TRUE(IsThere(server));
  EXPECT_TRUE(other.requests().empty());
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

// The client tries twice by itself, and this is tried again in whole.
TEST_F(BlobUploadTest, TriesAreNotMultiplied) {
  for (const char* method : {"POST", "PATCH", "PUT"}) {
    MiniRegistry server;
    server.AnswerBy([=](std::size_t, const ServedRequest& request) {
      return request.method == method ? std::optional(ServedResponse{.status = 503}) : std::nullopt;
    });
    EXPECT_THROW(Upload(server), specs::Error);
    EXPECT_EQ(static_cast<int>(Sizes(server, method).size()), options_.max_failures) << method;
  }
}

TEST_F(BlobUploadTest, ARegistryThatAsksForALongWaitIsNotAskedBefore) {
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

TEST_F(BlobUploadTest, AWaitIsAsLongAsTheRegistryAsksForAndTold) {
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

TEST_F(BlobUploadTest, ATokenServerThatIsDownForAWhileIsNoRefusal) {
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

// What the registry has does not grow then, by its own word.
TEST_F(BlobUploadTest, ARegistryThatTellsOfTheLastChunkAloneIsNotFedForEver) {
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

TEST_F(BlobUploadTest, ALostAnswerToTheEndIsNoSecondUpload) {
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

TEST_F(BlobUploadTest, GivesUpWhereNothingHelps) {
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

TEST_F(BlobUploadTest, AChangedFileNeverCountsAsTheBlob) {
  MiniRegistry server;
  layers::WriteFileAtomically(blob_.file, Noise(kSize, 2));
  EXPECT_THROW(Upload(server), specs::Error);
  EXPECT_TRUE(server.blobs().empty());
}

}  // namespace
}  // namespace imgbuild::builder
