#include "builder/registry/blob_fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/file.h"
#include "specs/base/error.h"
#include "tests/builder/registry/registry_fixture.h"

namespace imgbuild::builder {
namespace {

using specs::ErrorKind;
using support::LoopbackServer;
using support::MiniRegistry;
using support::RegistryLogin;
using support::ServedRequest;
using support::ServedResponse;

class BlobFetchTest : public RegistryFixture {
 protected:
  FetchResult Fetch(const MiniRegistry& server, Credentials credentials = {}) {
    Registry registry = Open(server, std::move(credentials), "team/app", Access::kPull);
    told_ = 0;
    return FetchBlob(
        registry, store_, blob_, [this](std::uint64_t bytes) { told_ += bytes; }, options_);
  }

  bool InStore() const {
    const auto path = store_.FindBlob(blob_.digest, blob_.size);
    return path && layers::ReadFile(*path) == bytes_;
  }

  ErrorKind Refused(const MiniRegistry& server) {
    try {
      Fetch(server);
      ADD_FAILURE() << "no error";
    } catch (const specs::Error& error) {
      EXPECT_FALSE(store_.FindBlob(blob_.digest, blob_.size));
      return error.kind();
    }
    return ErrorKind::kFailure;
  }

  static bool AsksForBlob(const ServedRequest& request) {
    return request.target.find("/blobs/") != std::string::npos;
  }

  // Answers that to whoever asks for tokens, or with one for anything else; counts in `asked`.
  static void Refuse(MiniRegistry& server, bool tokens, const ServedResponse& answer, int& asked) {
    server.AnswerBy(
        [=, &asked](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
          if (request.target.starts_with("/token") != tokens) return std::nullopt;
          if (!tokens && !request.headers.contains("authorization")) return std::nullopt;
          ++asked;
          return answer;
        });
  }

  const std::string bytes_ = Noise(300'000);
  const specs::Descriptor blob_{.media_type = "x/layer",
                                .digest = specs::HashOf(bytes_),
                                .size = bytes_.size(),
                                .platform = {},
                                .annotations = {}};
  layers::Store store_{folder_.path() / "cache"};
  FetchOptions options_{.max_failures = 4, .backoff_ms = 1};
  std::uint64_t told_ = 0;
};

TEST_F(BlobFetchTest, OnceThenNeverAgain) {
  MiniRegistry server;
  server.PutBlob("team/app", bytes_);
  const FetchResult first = Fetch(server);
  EXPECT_FALSE(first.present);
  EXPECT_EQ(first.bytes_received, bytes_.size());
  EXPECT_EQ(told_, bytes_.size());
  EXPECT_TRUE(InStore());
  const std::size_t before = server.requests().size();
  EXPECT_TRUE(Fetch(server).present);
  EXPECT_EQ(told_, bytes_.size());
  EXPECT_EQ(server.requests().size(), before);
}

TEST_F(BlobFetchTest, CutBodiesGoOnWhereTheyStopped) {
  MiniRegistry server;
  int cuts = 0;
  std::vector<std::string> ranges;
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (!AsksForBlob(request)) return std::nullopt;
    const auto range = request.headers.find("range");
    ranges.push_back(range == request.headers.end() ? "" : range->second);
    ServedResponse response = support::ServeBytes(request, bytes_);
    if (++cuts < 6) response.cut_after = 50'000;
    return response;
  });
  const FetchResult result = Fetch(server);
  EXPECT_TRUE(InStore());
  EXPECT_EQ(result.bytes_received, bytes_.size());
  EXPECT_EQ(ranges, (std::vector<std::string>{"", "bytes=50000-", "bytes=100000-", "bytes=150000-",
                                              "bytes=200000-", "bytes=250000-"}));
}

TEST_F(BlobFetchTest, AServerThatGivesNextToNothingIsGivenUp) {
  MiniRegistry server;
  int answers = 0;
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (!AsksForBlob(request)) return std::nullopt;
    ++answers;
    ServedResponse response = support::ServeBytes(request, bytes_);
    response.cut_after = 100;
    return response;
  });
  Refused(server);
  EXPECT_EQ(answers, options_.max_failures);
}

TEST_F(BlobFetchTest, AnInterruptedRunIsContinuedByTheNext) {
  MiniRegistry server;
  server.AnswerBy([&](std::size_t at, const ServedRequest& request) {
    ServedResponse response = support::ServeBytes(request, bytes_);
    if (AsksForBlob(request) && at > 1) response.cut_after = 0;
    if (AsksForBlob(request) && at <= 1) response.cut_after = 120'000;
    return response;
  });
  Refused(server);
  server.AnswerBy({});
  server.PutBlob("team/app", bytes_);
  const FetchResult result = Fetch(server);
  EXPECT_TRUE(InStore());
  EXPECT_LE(result.bytes_received, 180'000u);
  EXPECT_EQ(told_, bytes_.size());
}

TEST_F(BlobFetchTest, WhatAnEarlierRunLeftMayBeWrong) {
  MiniRegistry server;
  server.PutBlob("team/app", bytes_);
  for (const std::string& left : {std::string(1'000, 'x'), std::string(bytes_.size(), 'x'),
                                  std::string(bytes_.size() + 5, 'x')}) {
    support::TempFolder cache;
    layers::Store store(cache.path());
    store.OpenBlob(blob_.digest, blob_.size)->Write(left);
    Registry registry = Open(server);
    FetchBlob(
        registry, store, blob_, [](std::uint64_t) {}, options_);
    EXPECT_TRUE(store.FindBlob(blob_.digest, blob_.size)) << left.size();
  }
}

TEST_F(BlobFetchTest, AServerWithoutRangesSendsEverythingAgain) {
  MiniRegistry server;
  int answers = 0;
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (!AsksForBlob(request)) return std::nullopt;
    ServedResponse response{.body = bytes_};
    if (++answers < 3) response.cut_after = 1'000;
    return response;
  });
  Fetch(server);
  EXPECT_TRUE(InStore());
  EXPECT_EQ(told_, bytes_.size());
}

// It gives a good part each time, and never the rest.
TEST_F(BlobFetchTest, AServerThatCutsAllAndKnowsNoStretchIsGivenUp) {
  MiniRegistry server;
  int answers = 0;
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (!AsksForBlob(request)) return std::nullopt;
    if (++answers > 50) return ServedResponse{.status = 404};
    if (request.headers.contains("range")) return ServedResponse{.status = 416};
    return ServedResponse{.body = bytes_, .cut_after = 100'000};
  });
  EXPECT_EQ(Refused(server), ErrorKind::kFailure);
  EXPECT_LE(answers, 2 * options_.max_failures);
  EXPECT_LE(told_, 100'000u);
}

TEST_F(BlobFetchTest, AServerThatKnowsNoStretchMaySendEverythingAgain) {
  MiniRegistry server;
  int answers = 0;
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (!AsksForBlob(request)) return std::nullopt;
    if (request.headers.contains("range")) return ServedResponse{.status = 416};
    ServedResponse response{.body = bytes_};
    if (++answers == 1) response.cut_after = 100'000;
    return response;
  });
  Fetch(server);
  EXPECT_TRUE(InStore());
  EXPECT_EQ(told_, bytes_.size());
}

TEST_F(BlobFetchTest, WrongBytesAreNeverPublished) {
  std::string flipped = bytes_;
  flipped[150'000] ^= 1;
  for (const std::string& body : {flipped, bytes_ + "more", bytes_.substr(0, 1'000), std::string(),
                                  std::string("<html>log in</html>")}) {
    MiniRegistry server;
    int answers = 0;
    server.AnswerBy(
        [&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
          if (!AsksForBlob(request)) return std::nullopt;
          ++answers;
          return ServedResponse{.body = body};
        });
    EXPECT_EQ(Refused(server), ErrorKind::kVerification) << body.size();
    EXPECT_LE(answers, 4) << body.size();
  }
}

TEST_F(BlobFetchTest, OnceWrongThenRightIsRight) {
  MiniRegistry server;
  server.PutBlob("team/app", bytes_);
  bool lied = false;
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (!AsksForBlob(request) || std::exchange(lied, true)) return std::nullopt;
    return ServedResponse{.body = std::string(bytes_.size(), 'x')};
  });
  Fetch(server);
  EXPECT_TRUE(InStore());
}

TEST_F(BlobFetchTest, AnotherStretchThanAskedForIsRefused) {
  MiniRegistry server;
  int answers = 0;
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (!AsksForBlob(request)) return std::nullopt;
    if (++answers == 1) return ServedResponse{.body = bytes_, .cut_after = 1'000};
    return ServedResponse{
        .status = 206, .headers = {{"Content-Range", "bytes 0-299999/300000"}}, .body = bytes_};
  });
  Refused(server);
  EXPECT_EQ(answers, 2);
}

TEST_F(BlobFetchTest, PassingFaultsPassOthersEndAtOnce) {
  for (int status : {429, 500, 502, 503}) {
    support::TempFolder cache;
    layers::Store store(cache.path());
    MiniRegistry server;
    server.PutBlob("team/app", bytes_);
    int answers = 0;
    server.AnswerBy([&](std::size_t, const ServedRequest& request) {
      return AsksForBlob(request) && ++answers < 3 ? std::optional(ServedResponse{.status = status})
                                                   : std::nullopt;
    });
    Registry registry = Open(server);
    FetchBlob(
        registry, store, blob_, [](std::uint64_t) {}, options_);
    EXPECT_TRUE(store.FindBlob(blob_.digest, blob_.size)) << status;
  }
  MiniRegistry empty;
  Refused(empty);
  EXPECT_LE(empty.requests().size(), 2u);  // "is it there at all", the blob
}

TEST_F(BlobFetchTest, AServerThatAsksForALongWaitIsNotAskedBefore) {
  MiniRegistry server({.login = RegistryLogin::kToken});
  for (const bool tokens : {false, true}) {
    int asked = 0;
    Refuse(server, tokens, {.status = 503, .headers = {{"Retry-After", "300"}}}, asked);
    try {
      Fetch(server, Ann());
      ADD_FAILURE() << "no error";
    } catch (const specs::Error& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("503 and asks to wait 300 s"));
    }
    EXPECT_EQ(asked, 1) << tokens;
  }
}

// The client tries twice by itself, and this is tried again in whole.
TEST_F(BlobFetchTest, TriesAreNotMultiplied) {
  MiniRegistry server({.login = RegistryLogin::kToken});
  for (const bool tokens : {false, true}) {
    int asked = 0;
    Refuse(server, tokens, {.status = 503}, asked);
    EXPECT_THROW(Fetch(server, Ann()), specs::Error);
    EXPECT_EQ(asked, options_.max_failures) << tokens;
  }
}

// Storage of another host: the registry's token stays at home, and that host's wish for credentials
// is none of ours.
TEST_F(BlobFetchTest, CredentialsDoNotFollowARedirectToAnotherHost) {
  std::atomic<bool> asks_for_login = false;
  LoopbackServer storage([&](const ServedRequest& request) {
    if (asks_for_login) {
      return ServedResponse{
          .status = 401,
          .headers = {{"WWW-Authenticate", R"(Bearer realm="http://127.0.0.1:1/token")"}}};
    }
    return support::ServeBytes(request, bytes_);
  });
  for (RegistryLogin login : {RegistryLogin::kBasic, RegistryLogin::kToken}) {
    support::TempFolder cache;
    layers::Store store(cache.path());
    MiniRegistry server({.login = login});
    server.AnswerBy([&](std::size_t, const ServedRequest& request) {
      return AsksForBlob(request) && request.headers.contains("authorization")
                 ? std::optional(ServedResponse{
                       .status = 307, .headers = {{"Location", storage.url() + "/store"}}})
                 : std::nullopt;
    });
    Registry registry = Open(server, Ann());
    asks_for_login = false;
    FetchBlob(
        registry, store, blob_, [](std::uint64_t) {}, options_);
    EXPECT_TRUE(store.FindBlob(blob_.digest, blob_.size));
    asks_for_login = true;
    support::TempFolder other;
    layers::Store empty(other.path());
    EXPECT_THROW(FetchBlob(
                     registry, empty, blob_, [](std::uint64_t) {}, options_),
                 specs::Error);
  }
  ASSERT_GE(storage.requests().size(), 4u);
  for (const ServedRequest& request : storage.requests()) {
    EXPECT_FALSE(request.headers.contains("authorization"));
  }
}

TEST_F(BlobFetchTest, SmallOnesIntoMemory) {
  MiniRegistry server;
  server.PutBlob("team/app", bytes_);
  Registry registry = Open(server);
  EXPECT_EQ(FetchSmallBlob(registry, blob_), bytes_);
  EXPECT_TRUE(HasBlob(registry, blob_));
  for (std::uint64_t size : {bytes_.size() - 1, bytes_.size() + 1, std::size_t{1} << 40}) {
    specs::Descriptor wrong = blob_;
    wrong.size = size;
    EXPECT_THROW((void)FetchSmallBlob(registry, wrong), specs::Error) << size;
    EXPECT_FALSE(HasBlob(registry, wrong)) << size;
  }
  specs::Descriptor missing = blob_;
  missing.digest = specs::HashOf("none");
  EXPECT_THROW((void)FetchSmallBlob(registry, missing), specs::Error);
  EXPECT_FALSE(HasBlob(registry, missing));
}

TEST_F(BlobFetchTest, AnEmptyBlobNeedsNoRequest) {
  MiniRegistry server;
  Registry registry = Open(server);
  specs::Descriptor empty = blob_;
  empty.digest = specs::HashOf("");
  empty.size = 0;
  FetchBlob(
      registry, store_, empty, [](std::uint64_t) {}, options_);
  EXPECT_TRUE(store_.FindBlob(empty.digest, 0));
  empty.digest = specs::HashOf("x");
  EXPECT_THROW(FetchBlob(
                   registry, store_, empty, [](std::uint64_t) {}, options_),
               specs::Error);
}

}  // namespace
}  // namespace imgbuild::builder
