#include "builder/cli/pushes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(PushTargets, TagsOfOneRepositoryAreOneTarget) {
  const std::vector<PushTarget> targets =
      ParsePushTargets({"docker://registry.example/team/app:v1", "registry.example/other/app",
                        "registry.example/team/app:v2", "registry.example/team/app:v1"});
  ASSERT_EQ(targets.size(), 2u);
  EXPECT_EQ(targets[0].repository.Name(), "registry.example/team/app");
  EXPECT_THAT(targets[0].tags, ElementsAre("v1", "v2"));
  EXPECT_THAT(targets[1].tags, ElementsAre("latest"));
  EXPECT_EQ(targets[1].Name(), "registry.example/other/app:latest");
}

TEST(PushTargets, DigestsAndNamesWithoutAHostAreRefused) {
  EXPECT_THROW(ParsePushTargets({"registry.example/a@sha256:" + std::string(64, 'a')}),
               specs::Error);
  EXPECT_THROW(ParsePushTargets({"team/app:v1"}), specs::Error);
}

TEST(Annotations, AreKeysAndValues) {
  EXPECT_THAT(ParseAnnotations({"a=1", "b=x=y", "c=", "a=2"}),
              ElementsAre(Pair("a", "2"), Pair("b", "x=y"), Pair("c", "")));
  EXPECT_THROW(ParseAnnotations({"a"}), specs::Error);
  EXPECT_THROW(ParseAnnotations({"=a"}), specs::Error);
}

}  // namespace
}  // namespace imgbuild::builder
