// Requests that send something, by the real client to a real server.
#include <atomic>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/net/curl_client.h"
#include "layers/io/atomic_file.h"
#include "tests/support/loopback_server.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using support::LoopbackServer;
using support::ServedRequest;
using support::ServedResponse;
using testing::HasSubstr;

CurlOptions Quick() { return {.user_agent = "test", .backoff_ms = 1}; }

TEST(UploadTest, SendsBytesWithTheirLength) {
  LoopbackServer server([](const ServedRequest&) { return ServedResponse{.status = 201}; });
  CurlClient client(Quick());
  EXPECT_EQ(client
                .Fetch({.method = "PUT",
                        .url = server.url() + "/m",
                        .headers = {{"Content-Type", "text/x"}},
                        .upload = HttpUpload{.bytes = "manifest"}})
                .status,
            201);
  const ServedRequest request = server.requests().at(0);
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.body, "manifest");
  EXPECT_EQ(request.headers.at("content-type"), "text/x");
  EXPECT_FALSE(request.headers.contains("expect"));
}

TEST(UploadTest, APostWithoutABodySaysSo) {
  LoopbackServer server([](const ServedRequest&) { return ServedResponse{.status = 202}; });
  CurlClient client(Quick());
  EXPECT_EQ(client.Fetch({.method = "POST", .url = server.url()}).status, 202);
  EXPECT_EQ(server.requests().at(0).method, "POST");
  EXPECT_EQ(server.requests().at(0).headers.at("content-length"), "0");
}

TEST(UploadTest, SendsAStretchOfAFileAndAgainAfterAFailure) {
  support::TempFolder folder;
  std::string content;
  for (int i = 0; i < 300'000; ++i) content += static_cast<char>('a' + i % 23);
  layers::WriteFileAtomically(folder.path() / "blob", content);
  std::atomic<int> calls = 0;
  LoopbackServer server(
      [&](const ServedRequest&) { return ServedResponse{.status = ++calls == 1 ? 503 : 202}; });
  CurlClient client(Quick());
  std::uint64_t sent = 0;
  HttpResponse response =
      client.Fetch({.method = "PATCH",
                    .url = server.url(),
                    .upload = HttpUpload{.file = folder.path() / "blob",
                                         .offset = 1000,
                                         .size = 200'000,
                                         .progress = [&](std::uint64_t bytes) { sent = bytes; }}});
  EXPECT_EQ(response.status, 202);
  ASSERT_EQ(server.requests().size(), 2u);
  for (const ServedRequest& request : server.requests()) {
    EXPECT_TRUE(request.body == content.substr(1000, 200'000));
  }
  EXPECT_EQ(sent, 200'000u);
}

TEST(UploadTest, TriesOnlyAsOftenAsTheRequestAllows) {
  LoopbackServer server([](const ServedRequest&) { return ServedResponse{.status = 503}; });
  CurlClient client(Quick());
  EXPECT_EQ(client.Fetch({.method = "POST", .url = server.url(), .max_tries = 1}).status, 503);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(UploadTest, AFileThatIsMissingOrTooShortIsAnError) {
  support::TempFolder folder;
  LoopbackServer server([](const ServedRequest&) { return ServedResponse{}; });
  CurlClient client(Quick());
  auto put = [&] {
    return client.Fetch({.method = "PUT",
                         .url = server.url(),
                         .upload = HttpUpload{.file = folder.path() / "blob", .size = 9}});
  };
  EXPECT_THROW(put(), specs::Error);
  layers::WriteFileAtomically(folder.path() / "blob", "short");
  try {
    put();
    FAIL() << "no error";
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("ends too early"));
  }
}

TEST(UploadTest, RedirectsAreReturnedWhereAsked) {
  LoopbackServer server([](const ServedRequest&) {
    return ServedResponse{.status = 307, .headers = {{"Location", "/elsewhere"}}};
  });
  CurlClient client(Quick());
  HttpResponse response =
      client.Fetch({.method = "POST", .url = server.url(), .redirects = RedirectPolicy::kReturn});
  EXPECT_EQ(response.status, 307);
  EXPECT_EQ(response.Header("Location"), "/elsewhere");
  EXPECT_EQ(server.requests().size(), 1u);
}

}  // namespace
}  // namespace imgbuild::builder
