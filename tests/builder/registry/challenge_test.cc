#include "builder/registry/challenge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ChallengeTest, ATokenServer) {
  EXPECT_THAT(
      ParseChallenges(
          R"(Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push")"),
      ElementsAre(Challenge{"bearer",
                            {{"realm", "https://auth.example/token"},
                             {"service", "registry.example"},
                             {"scope", "repository:a/b:pull,push"}}}));
}

// The example of RFC 9110, 11.6.1.
TEST(ChallengeTest, SeveralInOneHeader) {
  EXPECT_THAT(
      ParseChallenges(
          R"(Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"")"),
      ElementsAre(Challenge{"basic", {{"realm", "simple"}}},
                  Challenge{"newauth",
                            {{"realm", "apps"}, {"type", "1"}, {"title", "Login to \"apps\""}}}));
}

TEST(ChallengeTest, SchemesAloneAndLooseSpace) {
  EXPECT_THAT(ParseChallenges(" , Negotiate ,, BASIC  Realm = \"x\" ,"),
              ElementsAre(Challenge{"negotiate", {}}, Challenge{"basic", {{"realm", "x"}}}));
}

TEST(ChallengeTest, NonsenseEndsTheList) {
  EXPECT_THAT(ParseChallenges(""), IsEmpty());
  EXPECT_THAT(ParseChallenges("="), IsEmpty());
  EXPECT_THAT(ParseChallenges("Bearer realm=\"open"),
              ElementsAre(Challenge{"bearer", {}}, Challenge{"realm", {}}));
}

}  // namespace
}  // namespace imgbuild::builder
