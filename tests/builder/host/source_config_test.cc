#include "builder/host/source_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using testing::HasSubstr;

TEST(SourceConfig, ReadsEverySetting) {
  SourceConfig config = ParseSourceConfig(
      "[debian]\nmirror = \"http://m\"\nsecurity-mirror = \"http://s\"\nsnapshot = \"http://t\"\n"
      "keyring = \"/k\"\n[python]\nindex = \"http://i\"\n[indexes]\ncorp = \"http://c\"\n",
      "config.toml");
  EXPECT_EQ(config.debian_mirror, "http://m");
  EXPECT_EQ(config.debian_security_mirror, "http://s");
  EXPECT_EQ(config.debian_snapshot, "http://t");
  EXPECT_EQ(config.debian_keyring, "/k");
  EXPECT_EQ(config.python_index, "http://i");
  EXPECT_EQ(config.indexes.at("corp"), "http://c");
}

TEST(SourceConfig, ReportsEveryProblemAtItsPlace) {
  try {
    (void)ParseSourceConfig("[debian]\nmiror = \"x\"\nmirror = 3\n[debain]\n", "config.toml");
    FAIL();
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("config.toml:2:1: unknown key \"debian.miror\""));
    EXPECT_THAT(error.what(), HasSubstr("did you mean \"mirror\"?"));
    EXPECT_THAT(error.what(), HasSubstr("config.toml:3:"));
    EXPECT_THAT(error.what(), HasSubstr("did you mean \"debian\"?"));
  }
}

TEST(SourceConfig, NamesCaches) {
  EXPECT_THAT(ParseSourceConfig("[cache]\nfrom = [\"docker://r.example/a\", \"http://c\"]\n", "f")
                  .cache_from,
              testing::ElementsAre("docker://r.example/a", "http://c"));
  for (const char* wrong : {"[cache]\nfrom = \"http://c\"\n", "[cache]\nfrom = [1]\n",
                            "[cache]\nform = []\n", "cache = 1\n"}) {
    EXPECT_THROW((void)ParseSourceConfig(wrong, "f"), specs::Error) << wrong;
  }
}

TEST(SourceConfig, IsEmptyWithoutAFile) {
  EXPECT_FALSE(ReadSourceConfig("/nonexistent/config.toml").debian_mirror);
}

}  // namespace
}  // namespace imgbuild::builder
