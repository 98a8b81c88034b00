#include "builder/net/curl_client.h"

#include <atomic>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/loopback_server.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using support::Hang;
using support::LoopbackServer;
using support::ServeBytes;
using support::ServedRequest;
using support::ServedResponse;
using testing::HasSubstr;
using testing::Not;

CurlOptions Quick() { return {.user_agent = "test", .backoff_ms = 1}; }

TEST(CurlClient, FetchesBodyStatusAndHeaders) {
  LoopbackServer server([](const ServedRequest& request) {
    return ServedResponse{.status = request.target == "/x" ? 200 : 404,
                          .headers = {{"X-Kind", "page"}},
                          .body = request.target};
  });
  CurlClient client(Quick());
  HttpResponse found = client.Fetch({.url = server.url() + "/x"});
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.body, "/x");
  EXPECT_EQ(found.Header("x-kind"), "page");
  EXPECT_EQ(client.Fetch({.url = server.url() + "/y"}).status, 404);
}

TEST(CurlClient, SendsRangesAndHeaders) {
  LoopbackServer server([](const ServedRequest& r) { return ServeBytes(r, "0123456789"); });
  CurlClient client(Quick());
  HttpResponse part = client.Fetch({.url = server.url() + "/f",
                                    .headers = {{"Accept", "text/x"}},
                                    .range = ByteRange{.first = 3, .suffix = true}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "789");
  EXPECT_EQ(server.requests()[0].headers.at("accept"), "text/x");
  EXPECT_EQ(client.Fetch({.url = server.url(), .range = ByteRange{.first = 2, .last = 4}}).body,
            "234");
}

TEST(CurlClient, TriesAgainAfterPassingFailures) {
  std::atomic<int> calls = 0;
  LoopbackServer server([&](const ServedRequest&) {
    int call = ++calls;
    if (call == 1) return ServedResponse{.status = 503};
    if (call == 2) return ServedResponse{.body = "whole body", .cut_after = 4};
    return ServedResponse{.body = "whole body"};
  });
  CurlClient client(Quick());
  layers::StringSink sink;
  HttpResponse response = client.Fetch(
      {.url = server.url(), .body = &sink, .restart = [&] { sink = layers::StringSink(); }});
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(sink.text(), "whole body");
  EXPECT_EQ(calls, 3);
}

TEST(CurlClient, AServerThatAsksForALongWaitIsNotAskedBefore) {
  LoopbackServer server([](const ServedRequest&) {
    return ServedResponse{.status = 503, .headers = {{"Retry-After", "300"}}};
  });
  CurlClient client(Quick());
  const HttpResponse response = client.Fetch({.url = server.url()});
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(StatusText(response), "503 and asks to wait 300 s");
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(CurlClient, ARequestMayHaveLessTimeThanTheClient) {
  LoopbackServer server([](const ServedRequest&) {
    return ServedResponse{.status = 429, .headers = {{"Retry-After", "2"}}};
  });
  CurlClient client(Quick());
  EXPECT_EQ(client.Fetch({.url = server.url(), .longest_wait_ms = 1'999}).status, 429);
  EXPECT_EQ(server.requests().size(), 1u);
}

// What a client told of its waits.
class Told {
 public:
  CurlOptions Options(std::uint64_t noticed_ms) {
    CurlOptions options = Quick();
    options.noticed_ms = noticed_ms;
    options.waiting = [this](const HttpWait& wait) {
      const std::lock_guard lock(mutex_);
      waits_.push_back(wait);
    };
    return options;
  }
  std::vector<HttpWait> waits() const {
    const std::lock_guard lock(mutex_);
    return waits_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<HttpWait> waits_;
};

TEST(CurlClient, WaitsAsLongAsItIsAskedToAndSaysSo) {
  std::atomic<int> calls = 0;
  LoopbackServer server([&](const ServedRequest&) {
    if (++calls > 1) return ServedResponse{.body = "done"};
    return ServedResponse{.status = 429, .headers = {{"Retry-After", "1"}}};
  });
  Told told;
  CurlClient client(told.Options(500));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(client.Fetch({.url = server.url()}).body, "done");
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::seconds(1));
  ASSERT_EQ(told.waits().size(), 1u);
  EXPECT_EQ(told.waits()[0].reason, ServerOf(server.url()) + " answers 429");
  EXPECT_EQ(told.waits()[0].milliseconds, 1'000u);
}

TEST(CurlClient, ShortWaitsAreNotWorthAWord) {
  LoopbackServer server([](const ServedRequest&) { return ServedResponse{.status = 503}; });
  Told told;
  CurlClient client(told.Options(1'000));
  EXPECT_EQ(client.Fetch({.url = server.url()}).status, 503);
  EXPECT_EQ(server.requests().size(), 4u);
  EXPECT_TRUE(told.waits().empty());
}

TEST(CurlClient, WaitsForOneServerAreToldOnceAndEndWithTheClient) {
  Told told;
  CurlClient client(told.Options(10));
  std::future<specs::ErrorKind> first = std::async(std::launch::async, [&] {
    try {
      client.Wait({.server = "a.example", .reason = "first", .milliseconds = 600'000});
    } catch (const specs::Error& error) {
      return error.kind();
    }
    return specs::ErrorKind::kFailure;
  });
  while (told.waits().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  client.Wait({.server = "a.example", .reason = "meanwhile", .milliseconds = 10});
  client.Wait({.server = "b.example", .reason = "another", .milliseconds = 10});
  client.Cancel();
  EXPECT_EQ(first.get(), specs::ErrorKind::kInterrupted);
  std::vector<std::string> reasons;
  for (const HttpWait& wait : told.waits()) reasons.push_back(wait.reason);
  EXPECT_THAT(reasons, testing::ElementsAre("first", "another"));
}

TEST(CurlClient, NeverDeliversTwiceToASinkThatCannotRestart) {
  LoopbackServer server(
      [&](const ServedRequest&) { return ServedResponse{.body = "whole body", .cut_after = 4}; });
  CurlClient client(Quick());
  layers::StringSink sink;
  EXPECT_THROW(client.Fetch({.url = server.url(), .body = &sink}), specs::Error);
  EXPECT_EQ(sink.text(), "whol");
}

TEST(CurlClient, GivesUpWithAnErrorThatHidesCredentials) {
  LoopbackServer server([](const ServedRequest&) { return ServedResponse{.status = 500}; });
  CurlClient client(Quick());
  EXPECT_EQ(client.Fetch({.url = server.url()}).status, 500);
  EXPECT_EQ(server.requests().size(), 4u);
  try {
    (void)client.Fetch({.url = "http://me:secret@127.0.0.1:1/x?token=abc"});
    FAIL();
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("http://127.0.0.1:1/x"));
    EXPECT_THAT(error.what(), Not(HasSubstr("secret")));
    EXPECT_THAT(error.what(), Not(HasSubstr("abc")));
  }
}

TEST(CurlClient, SendsCredentialsOfTheUrl) {
  LoopbackServer server([](const ServedRequest&) { return ServedResponse{}; });
  CurlClient client(Quick());
  std::string url = server.url();
  url.insert(7, "me:secret@");
  (void)client.Fetch({.url = url});
  EXPECT_EQ(server.requests()[0].headers.at("authorization"), "Basic bWU6c2VjcmV0");
}

// They are one machine's, and go nowhere with a redirect.
TEST(CurlClient, SendsCredentialsOfNetrcToTheirMachineOnly) {
  LoopbackServer server([](const ServedRequest& request) {
    if (request.target != "/moved") return ServedResponse{};
    const std::string& host = request.headers.at("host");
    const std::string there = "http://localhost" + host.substr(host.find(':')) + "/there";
    return ServedResponse{.status = 302, .headers = {{"Location", there}}};
  });
  const support::TempFolder folder;
  CurlOptions options = Quick();
  options.netrc_file = (folder.path() / "netrc").string();
  std::ofstream(options.netrc_file) << "machine 127.0.0.1 login me password secret\n";
  CurlClient client(options);
  EXPECT_EQ(client.Fetch({.url = server.url() + "/moved"}).status, 200);
  (void)client.Fetch({.url = server.url(), .credentials = CredentialPolicy::kNone});
  const std::vector<ServedRequest> requests = server.requests();
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(requests[0].headers.at("authorization"), "Basic bWU6c2VjcmV0");
  EXPECT_EQ(requests[1].target, "/there");
  EXPECT_FALSE(requests[1].headers.contains("authorization"));
  EXPECT_FALSE(requests[2].headers.contains("authorization"));
}

TEST(CurlClient, AnErrorInTheSinkIsTheResult) {
  class FullDisk : public layers::Sink {
   public:
    void Write(std::span<const std::byte>) override { throw specs::Error("disk full"); }
  } sink;
  LoopbackServer server([](const ServedRequest&) { return ServedResponse{.body = "x"}; });
  CurlClient client(Quick());
  try {
    (void)client.Fetch({.url = server.url(), .body = &sink});
    FAIL();
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.message(), "disk full");
  }
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST(CurlClient, RefusesBodiesOverTheLimit) {
  LoopbackServer server(
      [](const ServedRequest&) { return ServedResponse{.body = std::string(5000, 'x')}; });
  CurlClient client(Quick());
  EXPECT_THROW(client.Fetch({.url = server.url(), .max_body = 4999}), specs::Error);
  EXPECT_EQ(client.Fetch({.url = server.url(), .max_body = 5000}).body.size(), 5000u);
}

TEST(CurlClient, CancelEndsTransfersAtOnce) {
  LoopbackServer server([](const ServedRequest&) {
    return ServedResponse{.body = "never", .hang = Hang::kBeforeBody};
  });
  CurlClient client(Quick());
  std::promise<HttpResult> promise;
  client.Start({.url = server.url()}, [&](HttpResult r) { promise.set_value(std::move(r)); });
  while (server.requests().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  client.Cancel();
  HttpResult result = promise.get_future().get();
  ASSERT_TRUE(std::holds_alternative<specs::Error>(result));
  EXPECT_EQ(std::get<specs::Error>(result).kind(), specs::ErrorKind::kInterrupted);
  EXPECT_THROW(client.Fetch({.url = server.url()}), specs::Error);
}

TEST(CurlClient, EndsWhatIsNotWantedThoughNothingComes) {
  LoopbackServer server([](const ServedRequest&) {
    return ServedResponse{.body = "never", .hang = Hang::kBeforeBody};
  });
  CurlClient client(Quick());
  std::atomic<bool> wanted = true;
  std::promise<HttpResult> promise;
  client.Start({.url = server.url(), .wanted = [&] { return wanted.load(); }},
               [&](HttpResult r) { promise.set_value(std::move(r)); });
  std::future<HttpResult> result = promise.get_future();
  EXPECT_EQ(result.wait_for(std::chrono::milliseconds(300)), std::future_status::timeout);
  wanted = false;
  ASSERT_EQ(result.wait_for(std::chrono::seconds(2)), std::future_status::ready);
  const HttpResult ended = result.get();
  ASSERT_TRUE(std::holds_alternative<specs::Error>(ended));
  EXPECT_EQ(std::get<specs::Error>(ended).kind(), specs::ErrorKind::kInterrupted);
}

TEST(CurlClient, WaitsTwiceAtMostForAServerThatNeverAnswers) {
  LoopbackServer server(
      [](const ServedRequest&) { return ServedResponse{.hang = Hang::kBeforeHead}; });
  CurlOptions options = Quick();
  options.stall_timeout_s = 1;
  CurlClient client(options);
  try {
    (void)client.Fetch({.url = server.url()});
    FAIL();
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("(2 tries)"));
    EXPECT_THAT(error.hint(), HasSubstr("--offline"));
  }
}

TEST(CurlClient, LeavesARedirectThatNeverEnds) {
  LoopbackServer server([](const ServedRequest& r) {
    return ServedResponse{.status = 302, .headers = {{"Location", r.target + "x"}}};
  });
  CurlClient client(Quick());
  EXPECT_THROW(client.Fetch({.url = server.url() + "/"}), specs::Error);
  EXPECT_EQ(server.requests().size(), 11u);
}

TEST(CurlClient, NoRedirectLeadsToAFile) {
  const support::TempFolder folder;
  std::ofstream(folder.path() / "secret") << "secret";
  LoopbackServer server([&](const ServedRequest&) {
    const std::string there = "file://" + (folder.path() / "secret").string();
    return ServedResponse{.status = 302, .headers = {{"Location", there}}};
  });
  CurlClient client(Quick());
  EXPECT_THROW(client.Fetch({.url = server.url()}), specs::Error);
}

TEST(CurlClient, ReadsFileUrls) {
  std::string path = testing::TempDir() + "/curl_client_file";
  std::ofstream(path) << "local";
  CurlClient client(Quick());
  EXPECT_EQ(client.Fetch({.url = "file://" + path}).body, "local");
  EXPECT_EQ(client.Fetch({.url = "file://" + path + ".missing"}).status, 404);
}

TEST(CurlClient, RunsManyTransfersAtOnce) {
  LoopbackServer server([](const ServedRequest& r) { return ServedResponse{.body = r.target}; });
  CurlClient client(Quick());
  std::vector<std::promise<std::string>> answers(200);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    client.Start({.url = server.url() + "/" + std::to_string(i)}, [&answers, i](HttpResult r) {
      answers[i].set_value(std::get<HttpResponse>(r).body);
    });
  }
  for (std::size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].get_future().get(), "/" + std::to_string(i));
  }
}

}  // namespace
}  // namespace imgbuild::builder
