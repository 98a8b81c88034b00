#include "builder/share/http_place.h"

#include <gtest/gtest.h>

#include "builder/net/curl_client.h"
#include "tests/support/fake_http.h"
#include "tests/support/loopback_server.h"

namespace imgbuild::builder {
namespace {

using support::LoopbackServer;
using support::ServedRequest;
using support::ServedResponse;

// What is asked of a cache that keeps its blobs elsewhere.
TEST(HttpPlaceTest, SecretsStayWithTheirHost) {
  LoopbackServer store([](const ServedRequest&) { return ServedResponse{.body = "blob"}; });
  LoopbackServer cache([&](const ServedRequest& request) {
    const bool home = request.target.ends_with("/cas/" + specs::HashOf("home").Hex());
    const std::string target = home ? "/moved" : store.url() + "/stored";
    if (request.target == "/moved") return ServedResponse{.body = "home"};
    return ServedResponse{.status = 302, .headers = {{"Location", target}}};
  });
  CurlClient curl({.user_agent = "test", .backoff_ms = 1});
  HttpPlace place(std::make_unique<CacheClient>(curl), cache.url(),
                  {{"X-Api-Key", "secret"}, {"Authorization", "Bearer secret"}});
  for (const std::string text : {"blob", "home"}) {
    layers::StringSink sink;
    const EntryBlob blob{.name = "layer", .digest = specs::HashOf(text), .size = text.size()};
    EXPECT_TRUE(place.Read(blob, sink, [&] { sink = layers::StringSink(); }));
    EXPECT_EQ(sink.text(), text);
  }
  ASSERT_EQ(store.requests().size(), 1u);
  EXPECT_FALSE(store.requests()[0].headers.contains("x-api-key"));
  EXPECT_FALSE(store.requests()[0].headers.contains("authorization"));
  for (const ServedRequest& request : cache.requests()) {
    EXPECT_EQ(request.headers.at("x-api-key"), "secret") << request.target;
  }
  EXPECT_EQ(cache.requests().back().target, "/moved");
}

// An entry is believed for where it comes from.
TEST(HttpPlaceTest, NothingIsTakenFromWhereTlsEnds) {
  for (const std::string there : {"http://store.example/entry", "file:///etc/hostname"}) {
    support::FakeHttp http;
    http.On("https://cache.example/entry", [&](const HttpRequest& request) -> HttpResult {
      return HttpResponse{
          .status = 302, .headers = {{"Location", there}}, .body = {}, .url = request.url};
    });
    EXPECT_THROW(FetchAtHome(http, {.url = "https://cache.example/entry"}), specs::Error);
    EXPECT_EQ(http.Count(there), 0);
  }
}

TEST(HttpPlaceTest, RedirectsWithoutEndAreAnError) {
  LoopbackServer cache([](const ServedRequest& request) {
    return ServedResponse{.status = 307, .headers = {{"Location", request.target + "x"}}};
  });
  CurlClient curl({.user_agent = "test", .backoff_ms = 1});
  HttpPlace place(std::make_unique<CacheClient>(curl), cache.url(), {});
  EXPECT_THROW((void)place.Find({EntryKind::kLayer, specs::HashOf("x")}), specs::Error);
  EXPECT_LT(cache.requests().size(), 10u);
}

}  // namespace
}  // namespace imgbuild::builder
