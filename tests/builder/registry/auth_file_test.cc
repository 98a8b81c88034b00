#include "builder/registry/auth_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/base64.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Auth(const std::string& text) { return specs::Base64Encode(text); }

AuthFile Parse(const std::string& text) { return AuthFile::Parse(text, "auth.json"); }

TEST(AuthFileTest, TheMostSpecificEntryIsTaken) {
  const AuthFile file = Parse(R"({"auths":{
    "registry.example":{"auth":")" +
                              Auth("host:1") + R"("},
    "registry.example/team":{"auth":")" +
                              Auth("team:2") + R"("},
    "registry.example/team/app":{"auth":")" +
                              Auth("app:3:4") + R"("}}})");
  EXPECT_EQ(file.Find("registry.example", "team/app")->credentials->user, "app");
  EXPECT_EQ(file.Find("registry.example", "team/app")->credentials->password.Reveal(), "3:4");
  EXPECT_EQ(file.Find("registry.example", "team/other")->credentials->user, "team");
  EXPECT_EQ(file.Find("registry.example", "teams/other")->credentials->user, "host");
  EXPECT_FALSE(file.Find("other.example", "team/app"));
}

TEST(AuthFileTest, KeysThatAreUrlsCountAsTheirHost) {
  const AuthFile file =
      Parse(R"({"auths":{"https://registry.example/v1/":{"auth":")" + Auth("ann:x") + R"("}}})");
  EXPECT_EQ(file.Find("registry.example", "a")->credentials->user, "ann");
}

TEST(AuthFileTest, HelpersAreAskedByTheKeyThatIsWritten) {
  const AuthFile file =
      Parse(R"({"auths":{"https://registry.example/v1/":{}},"credsStore":"desktop"})");
  EXPECT_EQ(file.Find("registry.example", "a")->server, "https://registry.example/v1/");
  EXPECT_EQ(file.Find("other.example", "a")->server, "other.example");
  EXPECT_EQ(AuthFile::Without(R"({"auths":{"https://registry.example/v1/":{}}})", "f",
                              "registry.example"),
            "{\n  \"auths\": {}\n}\n");
}

TEST(AuthFileTest, HelpersAndIdentityTokens) {
  const AuthFile file = Parse(R"({"auths":{"a.example":{"identitytoken":"t"},"b.example":{}},
    "credHelpers":{"c.example":"vault"},"credsStore":"desktop"})");
  EXPECT_EQ(file.Find("a.example", "x")->credentials->identity_token.Reveal(), "t");
  EXPECT_EQ(file.Find("c.example", "x")->helper, "vault");
  EXPECT_EQ(file.Find("c.example", "x")->server, "c.example");
  EXPECT_EQ(file.Find("b.example", "x")->helper, "desktop");
}

TEST(AuthFileTest, WhatCannotBeReadIsAnErrorWithoutItsContent) {
  for (const char* text : {"[]", "{", "nonsense", R"({"auths":{"a.example":{"auth":"hunter2!"}}})",
                           R"({"auths":{"a.example":{"auth":"aHVudGVyMg=="}}})"}) {
    try {
      (void)Parse(text).Find("a.example", "x");
      ADD_FAILURE() << text;
    } catch (const specs::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("auth.json"));
      EXPECT_THAT(error.what(), Not(HasSubstr("hunter2")));
    }
  }
}

TEST(AuthFileTest, AnEntryThatCannotBeReadIsNoOthersTrouble) {
  const std::string text = R"({"auths":{"a.example":{"auth":"hunter2!"},"b.example":{"auth":")" +
                           Auth("bob:x") + R"("}}})";
  EXPECT_EQ(Parse(text).Find("b.example", "x")->credentials->user, "bob");
  EXPECT_EQ(Parse(text).HelperFor("a.example"), std::nullopt);
  EXPECT_TRUE(Parse(text).HasOwn("a.example"));
}

TEST(AuthFileTest, LoginAndLogoutKeepTheRest) {
  std::string text = R"({"credsStore":"x","auths":{"a.example":{"auth":"YTpi"}},"other":[1]})";
  Credentials ann{
      .user = "ann", .password = specs::Secret("pw"), .identity_token = {}, .origin = ""};
  text = AuthFile::With(text, "f", "b.example", ann);
  EXPECT_EQ(Parse(text).Find("b.example", "x")->credentials->password.Reveal(), "pw");
  EXPECT_EQ(Parse(text).Find("a.example", "x")->credentials->user, "a");
  EXPECT_THAT(text, HasSubstr("\"other\""));
  text = AuthFile::Without(text, "f", "b.example").value();
  EXPECT_EQ(Parse(text).Find("b.example", "x")->helper, "x");
  EXPECT_EQ(AuthFile::Without(text, "f", "b.example"), std::nullopt);
  EXPECT_EQ(
      Parse(AuthFile::With("", "f", "c.example", ann)).Find("c.example", "")->credentials->user,
      "ann");
}

}  // namespace
}  // namespace imgbuild::builder
