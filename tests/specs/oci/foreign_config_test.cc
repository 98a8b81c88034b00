#include "specs/oci/foreign_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::specs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ForeignConfig, ReadsWhatDockerWrites) {
  const ForeignConfig config = ParseForeignConfig(
      R"({"architecture":"s390x","os":"linux","author":"ann","container":"x",)"
      R"("config":{"Hostname":"h","Env":["A=B"],"Cmd":null,"Entrypoint":["/e"],)"
      R"("Volumes":{"/data":{}},"ExposedPorts":{"80/tcp":{}},"Labels":null,"OnBuild":[]},)"
      R"("history":[{"created_by":"a"},{"created_by":"b","empty_layer":true}],)"
      R"("rootfs":{"type":"layers","diff_ids":[")" +
          HashOf("x").Oci() + R"("]}})",
      "it");
  EXPECT_EQ(config.platform, "linux/s390x");
  EXPECT_THAT(config.env, ElementsAre("A=B"));
  EXPECT_TRUE(config.command.empty());
  EXPECT_THAT(config.entrypoint, ElementsAre("/e"));
  EXPECT_THAT(config.volumes, ElementsAre("/data"));
  EXPECT_THAT(config.exposed_ports, ElementsAre("80/tcp"));
  EXPECT_TRUE(config.labels.empty());
  EXPECT_THAT(config.diff_ids, ElementsAre(HashOf("x")));
  ASSERT_EQ(config.history.size(), 2u);
  EXPECT_TRUE(config.history[1].empty_layer);
}

TEST(ForeignConfig, AnythingMayBeMissing) {
  EXPECT_EQ(ParseForeignConfig("{}", "it").platform, "/");
  EXPECT_TRUE(
      ParseForeignConfig(R"({"config":null,"rootfs":null,"history":null})", "it").diff_ids.empty());
}

TEST(ForeignConfig, WhatIsNoneIsAnErrorThatNamesIt) {
  for (const char* text :
       {"", "[]", "7", R"({"os":7})", R"({"config":[]})", R"({"config":{"Env":"A"}})",
        R"({"config":{"Env":[7]}})", R"({"config":{"ExposedPorts":["80"]}})",
        R"({"config":{"Labels":{"a":1}}})", R"({"rootfs":[]})",
        R"({"rootfs":{"diff_ids":["sha256:x"]}})", R"({"rootfs":{"diff_ids":[1]}})",
        R"({"history":{}})", R"({"history":[{"created_by":1}]})"}) {
    try {
      (void)ParseForeignConfig(text, "the thing");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("the thing")) << text;
    }
  }
}

}  // namespace
}  // namespace imgbuild::specs
