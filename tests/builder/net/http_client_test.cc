#include "builder/net/http_client.h"

#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

TEST(RedactUrl, DropsCredentialsAndQuery) {
  EXPECT_EQ(RedactUrl("https://me:secret@mirror.example/debian?token=x#y"),
            "https://mirror.example/debian");
  EXPECT_EQ(RedactUrl("https://mirror.example/a@b"), "https://mirror.example/a@b");
  EXPECT_EQ(RedactUrl("https://a@b:p@mirror.example"), "https://mirror.example");
  EXPECT_EQ(RedactUrl("file:/srv/mirror"), "file:/srv/mirror");
}

TEST(ServerOf, IsHostAndPort) {
  EXPECT_EQ(ServerOf("https://me:secret@mirror.example:8443/debian?token=x"),
            "mirror.example:8443");
  EXPECT_EQ(ServerOf("http://mirror.example"), "mirror.example");
  EXPECT_EQ(ServerOf("http://mirror.example?a=b/c@d"), "mirror.example");
}

TEST(StatusText, SaysHowLongTheServerWantsToBeLeftAlone) {
  const auto text = [](int status, const char* retry_after) {
    return StatusText(
        {.status = status, .headers = {{"Retry-After", retry_after}}, .body = {}, .url = {}});
  };
  EXPECT_EQ(text(503, "300"), "503 and asks to wait 300 s");
  EXPECT_EQ(text(429, "0"), "429");
  EXPECT_EQ(text(404, "300"), "404");
  EXPECT_EQ(StatusText({.status = 503, .headers = {}, .body = {}, .url = {}}), "503");
}

TEST(HttpResponse, FindsHeadersWithoutCase) {
  HttpResponse response;
  response.headers = {{"content-Type", "text/html"}};
  EXPECT_EQ(response.Header("Content-Type"), "text/html");
  EXPECT_EQ(response.Header("ETag"), "");
}

TEST(HttpResponse, FindsAllHeadersOfAName) {
  HttpResponse response;
  response.headers = {{"Link", "a"}, {"Vary", "b"}, {"link", "c"}};
  EXPECT_EQ(response.Header("Link"), "a");
  EXPECT_EQ(response.AllHeaders("LINK"), (std::vector<std::string_view>{"a", "c"}));
  EXPECT_TRUE(response.AllHeaders("ETag").empty());
}

}  // namespace
}  // namespace imgbuild::builder
