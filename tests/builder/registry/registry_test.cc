#include "builder/registry/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/builder/registry/registry_fixture.h"

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
        .body = R"({"errors":[{"code":"DENIED","message":"no quota"},{"code":"X"},7]})"};
  });
  Registry registry = Open(server);
  const specs::Error error =
      registry.Failure("cannot put a manifest", registry.Send({.path = "/manifests/x"}));
  EXPECT_THAT(error.what(), HasSubstr("cannot put a manifest"));
  EXPECT_THAT(error.what(), HasSubstr("403"));
  EXPECT_THAT(error.found(), HasSubstr("no quota (DENIED)"));
}

}  // namespace
}  // namespace imgbuild::builder
