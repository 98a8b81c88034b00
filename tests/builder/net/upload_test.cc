// Requests that send something, by the real client to a real server.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

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

CurlOptions QuickToRetry() { return {.user_agent = "test", .backoff_ms = 1}; }

TEST(UploadTest, SendsBytesWithTheirLength) {
  LoopbackServer server([](const ServedRequest&) { return ServedResponse{.status = 201}; });
  CurlClient client(QuickToRetry());
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
  CurlClient client(QuickToRetry());
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
  CurlClient client(QuickToRetry());
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
  CurlClient client(QuickToRetry());
  EXPECT_EQ(client.Fetch({.method = "POST", .url = server.url(), .max_tries = 1}).status, 503);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(UploadTest, AFileThatIsMissingOrTooShortIsAnError) {
  support::TempFolder folder;
  LoopbackServer server([](const ServedRequest&) { return ServedResponse{}; });
  CurlClient client(QuickToRetry());
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

// A body that nobody takes is given up as soon as any other transfer, however long an answer may
// take.
TEST(UploadTest, ABodyThatIsNotTakenStallsAsAnyTransfer) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 4), 0);  // connections stand; nobody reads from them
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  support::TempFolder folder;
  layers::WriteFileAtomically(folder.path() / "blob", "");
  std::filesystem::resize_file(folder.path() / "blob", 256u << 20);  // more than sockets hold
  CurlClient client({.user_agent = "test", .backoff_ms = 1, .stall_timeout_s = 1});
  std::promise<HttpResult> promise;
  client.Start({.method = "PATCH",
                .url = fmt::format("http://127.0.0.1:{}/", ntohs(address.sin_port)),
                .upload = HttpUpload{.file = folder.path() / "blob", .size = 256u << 20},
                .max_tries = 1,
                .patience_s = 600},
               [&](HttpResult result) { promise.set_value(std::move(result)); });
  std::future<HttpResult> result = promise.get_future();
  ASSERT_EQ(result.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_TRUE(std::holds_alternative<specs::Error>(result.get()));
  close(listener);
}

TEST(UploadTest, AnAnswerMayTakeLongerThanTheBody) {
  LoopbackServer server([](const ServedRequest&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3500));
    return ServedResponse{.status = 201};
  });
  support::TempFolder folder;
  layers::WriteFileAtomically(folder.path() / "blob", std::string(3'000'000, 'x'));
  CurlClient client({.user_agent = "test", .backoff_ms = 1, .stall_timeout_s = 1});
  for (const std::uint64_t bytes : {0u, 3'000'000u}) {
    EXPECT_EQ(client
                  .Fetch({.method = "PUT",
                          .url = server.url(),
                          .upload = HttpUpload{.file = folder.path() / "blob", .size = bytes},
                          .max_tries = 1,
                          .patience_s = 60})
                  .status,
              201);
  }
}

TEST(UploadTest, RedirectsAreReturnedWhereAsked) {
  LoopbackServer server([](const ServedRequest&) {
    return ServedResponse{.status = 307, .headers = {{"Location", "/elsewhere"}}};
  });
  CurlClient client(QuickToRetry());
  HttpResponse response =
      client.Fetch({.method = "POST", .url = server.url(), .redirects = RedirectPolicy::kReturn});
  EXPECT_EQ(response.status, 307);
  EXPECT_EQ(response.Header("Location"), "/elsewhere");
  EXPECT_EQ(server.requests().size(), 1u);
}

}  // namespace
}  // namespace imgbuild::builder
