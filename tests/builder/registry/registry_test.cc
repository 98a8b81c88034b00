#include "builder/registry/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/registry/pages.h"
#include "specs/base/error.h"
#include "tests/builder/registry/registry_fixture.h"
#include "tests/support/fake_http.h"
#include "tests/support/loopback_server.h"

namespace imgbuild::builder {
namespace {

using support::MiniRegistry;
using support::RegistryLogin;
using support::ServedRequest;
using support::ServedResponse;
using testing::HasSubstr;
using testing::Not;

class RegistryTest : public RegistryFixture {
 protected:
  int Ask(Registry& registry) {
    return registry.Send({.method = "HEAD", .path = "/manifests/none"}).status;
  }
};

TEST_F(RegistryTest, WorksWithoutLogin) {
  MiniRegistry server;
  Registry registry = Open(server);
  EXPECT_EQ(Ask(registry), 404);
}

TEST_F(RegistryTest, LogsInWithUserAndPassword) {
  MiniRegistry server({.login = RegistryLogin::kBasic});
  Registry registry = Open(server, Ann());
  EXPECT_EQ(Ask(registry), 404);
  const std::size_t before = server.requests().size();
  EXPECT_EQ(Ask(registry), 404);
  EXPECT_EQ(server.requests().size(), before + 1);  // it remembers
}

TEST_F(RegistryTest, FetchesOneTokenAndRenewsIt) {
  MiniRegistry server({.login = RegistryLogin::kToken, .token_uses = 2});
  Registry registry = Open(server, Ann());
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask(registry), 404);
  int tokens = 0;
  for (const ServedRequest& request : server.requests()) {
    if (!request.target.starts_with("/token")) continue;
    ++tokens;
    EXPECT_THAT(request.target, HasSubstr("scope=repository%3Ateam%2Fapp%3Apull%2Cpush"));
    EXPECT_THAT(request.target, HasSubstr("service=mini"));
  }
  EXPECT_EQ(tokens, 3);
}

TEST_F(RegistryTest, WrongOrMissingCredentialsAreOneErrorWithoutThem) {
  for (RegistryLogin login : {RegistryLogin::kBasic, RegistryLogin::kToken}) {
    MiniRegistry server({.login = login});
    for (const Credentials& credentials : {Credentials(), Ann("hunter2")}) {
      Registry registry = Open(server, credentials);
      try {
        Ask(registry);
        ADD_FAILURE() << "no error";
      } catch (const AccessRefused& error) {
        EXPECT_THAT(error.what(), HasSubstr("imgbuild login"));
        EXPECT_THAT(error.what(), Not(HasSubstr("hunter2")));
      }
    }
    EXPECT_LT(server.requests().size(), 20u);
  }
}

TEST_F(RegistryTest, CredentialsGoNowhereBeforeTheyAreAskedFor) {
  MiniRegistry server;
  Registry registry = Open(server, Ann());
  Ask(registry);
  for (const ServedRequest& request : server.requests()) {
    EXPECT_FALSE(request.headers.contains("authorization"));
  }
}

// Of a registry that asks for tokens of `tokens`, and begins uploads at `place`.
support::MiniRegistry::Answering SendingUploadsTo(const std::string& tokens,
                                                  const std::string& place, int status = 202) {
  return [=](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (!request.headers.contains("authorization")) {
      return ServedResponse{
          .status = 401,
          .headers = {{"WWW-Authenticate",
                       R"(Bearer realm=")" + tokens + R"(/token",service="other.example")"}}};
    }
    if (request.method != "POST") return std::nullopt;
    return ServedResponse{.status = status, .headers = {{"Location", place}}};
  };
}

ServedResponse GiveToken(const ServedRequest& request) {
  return {.status = request.method == "GET" ? 200 : 202, .body = R"({"token":"t"})"};
}

TEST_F(RegistryTest, AnUploadMayGoToAHostThatTheChallengeNames) {
  support::LoopbackServer tokens(GiveToken);
  MiniRegistry server;
  Registry registry = Open(server, Ann());
  for (const std::string& place : {tokens.url() + "/u/1", std::string("http://other.example/u")}) {
    server.AnswerBy(SendingUploadsTo(tokens.url(), place));
    const HttpResponse begun = registry.Send({.method = "POST", .path = "/blobs/uploads/"});
    EXPECT_EQ(registry.Location(begun), place);
  }
  server.AnswerBy(SendingUploadsTo(tokens.url(), "http://third.example/u"));
  EXPECT_THROW(
      (void)registry.Location(registry.Send({.method = "POST", .path = "/blobs/uploads/"})),
      specs::Error);

  EXPECT_EQ(registry
                .Send({.method = "PATCH",
                       .path = tokens.url() + "/u/1",
                       .upload = HttpUpload{.bytes = "bytes", .file = {}, .progress = {}}})
                .status,
            202);
  EXPECT_EQ(tokens.requests().back().body, "bytes");
  EXPECT_FALSE(tokens.requests().back().headers.contains("authorization"));
}

TEST_F(RegistryTest, RedirectsOfUploadsAreFollowedByTheSameRule) {
  support::LoopbackServer tokens(GiveToken);
  for (const int status : {307, 308}) {
    MiniRegistry server;
    server.AnswerBy(SendingUploadsTo(tokens.url(), tokens.url() + "/elsewhere", status));
    Registry registry = Open(server, Ann());
    EXPECT_EQ(registry
                  .Send({.method = "POST",
                         .path = "/blobs/uploads/",
                         .upload = HttpUpload{.bytes = "bytes", .file = {}, .progress = {}}})
                  .status,
              202);
    const ServedRequest sent = tokens.requests().back();
    EXPECT_EQ(sent.method + sent.target + sent.body, "POST/elsewherebytes");
    EXPECT_FALSE(sent.headers.contains("authorization"));
    server.AnswerBy(SendingUploadsTo(tokens.url(), "http://third.example/u", status));
    EXPECT_THROW(registry.Send({.method = "POST", .path = "/blobs/uploads/"}), specs::Error);
  }
}

TEST_F(RegistryTest, ARedirectThatNeverEndsIsTheAnswer) {
  MiniRegistry server;
  server.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method != "POST") return std::nullopt;
    return ServedResponse{.status = 307, .headers = {{"Location", request.target + "x"}}};
  });
  Registry registry = Open(server);
  EXPECT_EQ(registry.Send({.method = "POST", .path = "/u"}).status, 307);
  EXPECT_LT(server.requests().size(), 10u);
}

TEST_F(RegistryTest, CredentialsGoToTheRegistryAlone) {
  MiniRegistry server({.login = RegistryLogin::kBasic});
  MiniRegistry other;
  Registry registry = Open(server, Ann());
  EXPECT_EQ(Ask(registry), 404);
  registry.Send({.path = "http://" + other.host() + "/v2/team/app/tags/list?last=a"});
  ASSERT_EQ(other.requests().size(), 1u);
  EXPECT_FALSE(other.requests().front().headers.contains("authorization"));
}

// A list that was sent on to another host goes on there, without what is ours.
TEST_F(RegistryTest, CredentialsDoNotFollowAListToWhereItIsSentOn) {
  MiniRegistry other;
  other.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    ServedResponse page{.body = R"({"tags":["a"]})"};
    if (request.target.find("last") == std::string::npos) {
      page.headers["Link"] = R"(</v2/team/app/tags/list?last=a>; rel="next")";
    }
    return page;
  });
  MiniRegistry server({.login = RegistryLogin::kBasic});
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.target.find("/tags/list") == std::string::npos) return std::nullopt;
    return ServedResponse{
        .status = 302, .headers = {{"Location", "http://" + other.host() + "/v2/team/app/list"}}};
  });
  Registry registry = Open(server, Ann());
  EXPECT_EQ(Ask(registry), 404);
  int pages = 0;
  ForEachPage(registry, "/tags/list", [&](const HttpResponse&) { return ++pages < 9; });
  EXPECT_EQ(pages, 2);
  for (const ServedRequest& request : other.requests()) {
    EXPECT_FALSE(request.headers.contains("authorization")) << request.target;
  }
}

TEST_F(RegistryTest, TokensAreAskedForByTheRegistrysTls) {
  const auto tls = std::make_shared<const HttpTls>(
      HttpTls{.authorities = "PEM", .certificate = "c", .key = "k", .check = TlsCheck::kVerify});
  for (const std::string realm : {"https://registry.example", "https://tokens.example"}) {
    support::FakeHttp http;
    std::shared_ptr<const HttpTls> seen;
    http.On("https://registry.example/v2/team/app/manifests/none",
            [&](const HttpRequest& request) -> HttpResult {
              EXPECT_EQ(request.tls, tls);
              if (!request.headers.empty()) return HttpResponse{.status = 404, .url = request.url};
              return HttpResponse{
                  .status = 401,
                  .headers = {{"WWW-Authenticate", R"(Bearer realm=")" + realm + R"(/token")"}},
                  .url = request.url};
            });
    http.On(realm + "/token?service=&scope=repository%3Ateam%2Fapp%3Apull",
            [&](const HttpRequest& request) -> HttpResult {
              seen = request.tls;
              return HttpResponse{.status = 200, .body = R"({"token":"t"})", .url = request.url};
            });
    Registry registry(http,
                      {.host = "registry.example",
                       .repository = "team/app",
                       .transport = Transport::kTls,
                       .tls = tls},
                      {}, Access::kPull);
    EXPECT_EQ(Ask(registry), 404);
    ASSERT_NE(seen, nullptr);
    EXPECT_EQ(seen->authorities, "PEM");
    // Who we are by certificate is for the registry alone.
    EXPECT_EQ(seen->certificate, realm == "https://registry.example" ? "c" : "");
    EXPECT_EQ(seen->key, realm == "https://registry.example" ? "k" : "");
  }
}

// RFC 9110, 11.6.1.
TEST_F(RegistryTest, ChallengesMayComeInSeveralHeaders) {
  support::FakeHttp http;
  std::string sent;
  http.On("https://registry.example/v2/team/app/manifests/none",
          [&](const HttpRequest& request) -> HttpResult {
            if (!request.headers.empty()) {
              sent = request.headers.front().value;
              return HttpResponse{.status = 404, .url = request.url};
            }
            return HttpResponse{.status = 401,
                                .headers = {{"WWW-Authenticate", "Negotiate"},
                                            {"WWW-Authenticate", R"(Basic realm="mini")"}},
                                .url = request.url};
          });
  Registry registry(http,
                    {.host = "registry.example",
                     .repository = "team/app",
                     .transport = Transport::kTls,
                     .tls = nullptr},
                    Ann(), Access::kPull);
  EXPECT_EQ(Ask(registry), 404);
  EXPECT_THAT(sent, testing::StartsWith("Basic "));
}

// It may be up again for the next try; a login would change nothing.
TEST_F(RegistryTest, ATokenServerThatIsDownIsNoRefusal) {
  MiniRegistry server({.login = RegistryLogin::kToken});
  for (const int status : {429, 500, 503}) {
    server.AnswerBy([=](std::size_t, const ServedRequest& request) {
      return request.target.starts_with("/token") ? std::optional(ServedResponse{.status = status})
                                                  : std::nullopt;
    });
    Registry registry = Open(server, Ann());
    try {
      Ask(registry);
      ADD_FAILURE() << "no error";
    } catch (const AccessRefused&) {
      ADD_FAILURE() << "refused for " << status;
    } catch (const specs::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(std::to_string(status)));
      EXPECT_THAT(error.what(), HasSubstr(server.host()));
      EXPECT_THAT(error.what(), Not(HasSubstr("login")));
    }
  }
}

TEST_F(RegistryTest, ARegistryThatAsksForALongWaitIsNotAskedBefore) {
  MiniRegistry server;
  server.AnswerBy([](std::size_t, const ServedRequest&) {
    return ServedResponse{.status = 503, .headers = {{"Retry-After", "300"}}};
  });
  Registry registry = Open(server);
  const specs::Error error =
      registry.Failure("cannot put a manifest", registry.Send({.path = "/manifests/x"}));
  EXPECT_THAT(error.message(), HasSubstr("answers 503 and asks to wait 300 s"));
  EXPECT_EQ(server.requests().size(), 1u);
}

// A wait for tokens is one for the registry: nobody asks for them more often than they may.
TEST_F(RegistryTest, ATokenServerThatAsksForALongWaitIsNotAskedBefore) {
  MiniRegistry server({.login = RegistryLogin::kToken});
  int asked = 0;
  server.AnswerBy([&](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (!request.target.starts_with("/token")) return std::nullopt;
    ++asked;
    return ServedResponse{.status = 429, .headers = {{"Retry-After", "300"}}};
  });
  Registry registry = Open(server, Ann());
  try {
    Ask(registry);
    ADD_FAILURE() << "no error";
  } catch (const ServerBusy& error) {
    EXPECT_EQ(error.asked_ms(), 300'000u);
    EXPECT_THAT(error.what(), HasSubstr("asks to wait 300 s"));
  }
  EXPECT_EQ(asked, 1);
}

TEST_F(RegistryTest, AnUploadIsNotSentToAnotherHost) {
  MiniRegistry server;
  server.AnswerBy([](std::size_t, const ServedRequest& request) -> std::optional<ServedResponse> {
    if (request.method != "POST") return std::nullopt;
    return ServedResponse{.status = 202, .headers = {{"Location", "http://other.example/u"}}};
  });
  Registry registry = Open(server);
  const HttpResponse response = registry.Send({.method = "POST", .path = "/blobs/uploads/"});
  EXPECT_THROW((void)registry.Location(response), specs::Error);
}

TEST_F(RegistryTest, ErrorsCarryTheRegistrysWords) {
  MiniRegistry server;
  server.AnswerBy([](std::size_t, const ServedRequest&) {
    return ServedResponse{
        .status = 403,
        .body = R"({"errors":[{"code":"DENIED","message":"no quota"},{"code":"\u001b[2JX"},7]})"};
  });
  Registry registry = Open(server);
  const specs::Error error =
      registry.Failure("cannot put a manifest", registry.Send({.path = "/manifests/x"}));
  EXPECT_THAT(error.what(), HasSubstr("cannot put a manifest"));
  EXPECT_THAT(error.what(), HasSubstr("403"));
  EXPECT_THAT(error.found(), HasSubstr("no quota (DENIED)"));
  EXPECT_THAT(error.what(), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace imgbuild::builder
