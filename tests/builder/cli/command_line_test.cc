// A command line, from its words to what they set, or to what is said of them.
#include "builder/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// imgbuild [-v] pack [-o FILE] [--tag [TAG]]... IMAGE..., and imgbuild cache trim.
class CommandLineTest : public testing::Test {
 protected:
  CommandLineTest() {
    Command program = line_.program();
    program.AddFlag(
        "-v,--verbose", [this] { verbose_ = true; }, "Say more");
    Command pack = program.AddCommand("pack", "Pack images");
    pack.AddOption("images", images_, "What to pack").Required();
    pack.AddOption("-o,--output", output_, "Where to").TypeName("FILE");
    tag_ = pack.AddOption("--tag", tags_, "A tag").AtMostOne().Repeatable();
    pack.AddOption("-l,--level", level_, "How well").Check([](const std::string& text) {
      return text.size() == 1 ? "" : text + " has several digits";
    });
    pack.WhenGiven([this] { given_ = "pack"; });
    Command cache = program.AddCommand("cache", "Look after the cache");
    cache.RequireCommand();
    cache.AddCommand("trim", "Shrink it").WhenGiven([this] { given_ = "trim"; });
    program.AddCommand("secret", "").Hide();
  }

  // What is said of words that are wrong.
  std::string Mistake(std::vector<std::string> words) {
    try {
      line_.Parse(std::move(words));
    } catch (const specs::Error& error) {
      EXPECT_EQ(error.kind(), specs::ErrorKind::kUsage);
      return error.what();
    }
    ADD_FAILURE() << "was understood";
    return "";
  }

  CommandLine line_{"imgbuild", "imgbuild 1", "Packs"};
  bool verbose_ = false;
  std::string output_ = "standard";
  std::vector<std::string> images_;
  std::vector<std::string> tags_;
  unsigned level_ = 3;
  std::optional<Option> tag_;
  std::string given_;
};

TEST_F(CommandLineTest, SetsWhatIsGivenAndNothingElse) {
  EXPECT_EQ(line_.Parse({"pack", "a", "b", "-l7"}), std::nullopt);
  EXPECT_EQ(given_, "pack");
  EXPECT_THAT(images_, ElementsAre("a", "b"));
  EXPECT_EQ(level_, 7u);
  EXPECT_EQ(output_, "standard");
  EXPECT_FALSE(tag_->IsGiven());
}

TEST_F(CommandLineTest, WhatBelongsAboveMayStandBehind) {
  EXPECT_EQ(line_.Parse({"cache", "trim", "-v"}), std::nullopt);
  EXPECT_EQ(given_, "trim");
  EXPECT_TRUE(verbose_);
}

TEST_F(CommandLineTest, RepeatableTakesOneValueEachTime) {
  line_.Parse({"pack", "--tag", "x", "a", "--tag=y", "b"});
  EXPECT_THAT(tags_, ElementsAre("x", "y"));
  EXPECT_THAT(images_, ElementsAre("a", "b"));
}

TEST_F(CommandLineTest, AtMostOneMayHaveNoValue) {
  line_.Parse({"pack", "a", "--tag"});
  EXPECT_TRUE(tag_->IsGiven());
  EXPECT_THAT(tags_, ElementsAre(""));
}

TEST_F(CommandLineTest, HelpAndVersionEndIt) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(line_.Parse({"--version"}), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "imgbuild 1\n");
  testing::internal::CaptureStdout();
  EXPECT_EQ(line_.Parse({"pack", "--help"}), 0);
  EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("-o,--output FILE"));
  EXPECT_EQ(given_, "");
}

TEST_F(CommandLineTest, MistakesAreToldWithWhatWasMeant) {
  EXPECT_THAT(Mistake({}), HasSubstr("imgbuild: the command is missing"));
  EXPECT_THAT(Mistake({"pakc"}), HasSubstr("did you mean \"pack\""));
  EXPECT_THAT(Mistake({"cache", "x"}), HasSubstr("imgbuild cache has no command x"));
  EXPECT_THAT(Mistake({"pack", "a", "--verbos"}), HasSubstr("did you mean \"--verbose\""));
  EXPECT_THAT(Mistake({"cache", "trim", "x"}), HasSubstr("imgbuild cache trim takes no \"x\""));
  EXPECT_THAT(Mistake({"pack"}), HasSubstr("images is required"));
  EXPECT_THAT(Mistake({"pack", "a", "-l", "12"}), HasSubstr("12 has several digits"));
  EXPECT_EQ(given_, "");
}

TEST_F(CommandLineTest, HiddenCommandsAreNotNamed) {
  EXPECT_THAT(Mistake({}), HasSubstr("pack, cache\n"));
}

}  // namespace
}  // namespace imgbuild::builder
