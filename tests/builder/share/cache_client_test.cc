#include "builder/share/cache_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/net/curl_client.h"
#include "builder/share/cache_credentials.h"
#include "specs/base/error.h"
#include "tests/support/loopback_server.h"

namespace imgbuild::builder {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class CacheClientTest : public testing::Test {
 protected:
  CurlClient curl_{{.user_agent = "test", .backoff_ms = 1}};
};

TEST_F(CacheClientTest, CountsWhatCame) {
  support::LoopbackServer server([](const support::ServedRequest&) {
    return support::ServedResponse{.status = 200, .headers = {}, .body = std::string(1000, 'x')};
  });
  CacheClient client(curl_);
  EXPECT_EQ(client.bytes_received(), 0u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.Fetch({.url = server.url()}).status, 200);
  EXPECT_EQ(client.bytes_received(), 3000u);
}

// A byte now and then is no stall, and no cache either.
TEST_F(CacheClientTest, GivesUpADrip) {
  support::LoopbackServer server([](const support::ServedRequest&) {
    return support::ServedResponse{
        .status = 200, .headers = {}, .body = std::string(100'000, 'x'), .drip = milliseconds(5)};
  });
  CacheClient client(curl_, {.tries = 1, .grace = milliseconds(200)});
  const auto begin = std::chrono::steady_clock::now();
  try {
    client.Fetch({.url = server.url()});
    FAIL();
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("too slow"));
    EXPECT_EQ(error.kind(), specs::ErrorKind::kFailure);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST_F(CacheClientTest, GivesUpSilence) {
  for (const support::Hang hang : {support::Hang::kBeforeHead, support::Hang::kBeforeBody}) {
    support::LoopbackServer server([&](const support::ServedRequest&) {
      return support::ServedResponse{.status = 200, .headers = {}, .body = "x", .hang = hang};
    });
    CacheClient client(curl_, {.tries = 1, .grace = milliseconds(200)});
    EXPECT_THROW(client.Fetch({.url = server.url()}), specs::Error);
  }
}

// A cache is there to save time.
TEST_F(CacheClientTest, WaitsForNobodyLong) {
  support::LoopbackServer server([](const support::ServedRequest&) {
    return support::ServedResponse{.status = 503, .headers = {{"Retry-After", "6"}}, .body = {}};
  });
  CacheClient client(curl_);
  EXPECT_EQ(client.Fetch({.url = server.url()}).status, 503);
  EXPECT_EQ(server.requests().size(), 1u);
}

std::string Shown(const std::vector<HttpHeader>& headers) {
  std::string text;
  for (const HttpHeader& header : headers) text += header.name + ": " + header.value + "\n";
  return text;
}

TEST(CacheHeaders, AreOfOneHost) {
  const Environment environment =
      Environment::Of({{"IMGBUILD_CACHE_CACHE_EXAMPLE_8080_TOKEN", "t0ken"},
                       {"IMGBUILD_CACHE_OTHER_EXAMPLE_USERNAME", "ann"},
                       {"IMGBUILD_CACHE_OTHER_EXAMPLE_PASSWORD", "secret"},
                       {"IMGBUILD_CACHE_OTHER_EXAMPLE_HEADER", "X-Team:  blue "}});
  EXPECT_EQ(Shown(CacheHeaders(environment, "https://cache.example:8080/base")),
            "Authorization: Bearer t0ken\n");
  EXPECT_EQ(Shown(CacheHeaders(environment, "http://u:p@other.example/")),
            "Authorization: Basic YW5uOnNlY3JldA==\nX-Team: blue\n");
  EXPECT_EQ(Shown(CacheHeaders(environment, "https://cache.example/")), "");
}

TEST(CacheHeaders, AreNotShownWhereTheyAreWrong) {
  for (const char* wrong : {"hush-hush", ": hush-hush", "X: a\r\nY: hush-hush"}) {
    try {
      (void)CacheHeaders(Environment::Of({{"IMGBUILD_CACHE_C_EXAMPLE_HEADER", wrong}}),
                         "http://c.example");
      FAIL() << wrong;
    } catch (const specs::Error& error) {
      EXPECT_THAT(error.what(), testing::Not(HasSubstr("hush-hush")));
      EXPECT_EQ(error.kind(), specs::ErrorKind::kUsage);
    }
  }
}

}  // namespace
}  // namespace imgbuild::builder
