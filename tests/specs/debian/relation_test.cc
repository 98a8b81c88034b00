#include "specs/debian/relation.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "specs/debian/package_fields.h"

namespace imgbuild::specs {
namespace {

using ::testing::HasSubstr;

std::string Normal(std::string_view field) {
  return RenderDebianRelations(ParseDebianRelations(field));
}

TEST(DebianRelation, ReadsEveryPart) {
  DebianRelations relations = ParseDebianRelations(
      "libc6 (>= 2.36), default-mta | mail-transport-agent,\n python3:any (<< 3.12~),\n"
      " gcc-12:amd64 (= 12.2.0-14) [linux-any !arm64] <!nocheck cross> <!stage1>");
  ASSERT_EQ(relations.size(), 4u);
  EXPECT_EQ(relations[0][0],
            (DebianRelation{"libc6", "", VersionOp::kGreaterEqual, "2.36", {}, {}}));
  EXPECT_EQ(relations[1].size(), 2u);
  EXPECT_EQ(relations[2][0].qualifier, "any");
  EXPECT_EQ(relations[3][0].architectures,
            (std::vector<Restriction>{{"linux-any", false}, {"arm64", true}}));
  EXPECT_EQ(relations[3][0].profiles,
            (std::vector<std::vector<Restriction>>{{{"nocheck", true}, {"cross", false}},
                                                   {{"stage1", true}}}));
}

TEST(DebianRelation, RendersBack) {
  for (const char* field :
       {"", "a", "a | b, c", "a:any (>= 1:2.3-4~) | b [amd64 !arm64] <!x y> <z>, c (<< 1)"}) {
    EXPECT_EQ(Normal(field), field);
  }
  EXPECT_EQ(Normal("a(>=1)|b ,c,  "), "a (>= 1) | b, c");
  EXPECT_EQ(Normal("a (< 1), b (> 2)"), "a (<= 1), b (>= 2)");
  EXPECT_EQ(Normal(",a,,b"), "a, b");
}

TEST(DebianRelation, SaysWhereASyntaxBreaks) {
  for (const char* field : {"a |",         "a | , b", "| a",        "a (",          "a ()", "a (1)",
                            "a (>= )",     "a (>= 1", "a (>= 1 2)", "a (=> 1)",     "a b",  "a [",
                            "a [amd64",    "a []",    "a [!]",      "a <",          "a <>", "a: b",
                            "a (>= 1)) b", "\xff",    "a\x01",      "a (>= 1), (b)"}) {
    EXPECT_THROW(ParseDebianRelations(field), Error) << field;
  }
  try {
    ParseDebianRelations("libc6 (>= 2.36), bad name here");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"libc6 (>= 2.36), bad \" before \"name here\""));
  }
}

TEST(DebianRelation, RestrictionsApplyToAnArchitecture) {
  auto on = [](std::string_view field, Architecture architecture) {
    return RenderDebianRelations(RelationsFor(ParseDebianRelations(field), architecture));
  };
  EXPECT_EQ(on("a [amd64], b [!amd64], c", Architecture::kAmd64), "a, c");
  EXPECT_EQ(on("a [amd64], b [!amd64], c", Architecture::kArm64), "b, c");
  EXPECT_EQ(on("a [linux-any] | b [any-arm64] | c [hurd-any]", Architecture::kArm64), "a | b");
  EXPECT_EQ(on("a <!nocheck>, b <nocheck>, c <x> <!y>", Architecture::kAmd64), "a, c");
}

TEST(DebianRelation, RandomTextNeverCrashesAndRoundTrips) {
  std::mt19937 random(7);
  const std::string_view alphabet = "ab1 (>=<),|[]!:.-~<>\n";
  int parsed = 0;
  for (int i = 0; i < 40'000; ++i) {
    std::string field = "a";
    for (int n = static_cast<int>(random() % 14); n > 0; --n) {
      field += alphabet[random() % alphabet.size()];
    }
    try {
      DebianRelations relations = ParseDebianRelations(field);
      EXPECT_EQ(ParseDebianRelations(RenderDebianRelations(relations)), relations) << field;
      ++parsed;
    } catch (const Error&) {
    }
  }
  EXPECT_GT(parsed, 200);
}

TEST(PackageFields, WordsComeBack) {
  for (const char* word : {"required", "important", "standard", "optional", "extra"}) {
    EXPECT_EQ(PriorityName(*ParsePriority(word)), word);
  }
  for (const char* word : {"no", "same", "foreign", "allowed"}) {
    EXPECT_EQ(MultiArchName(*ParseMultiArch(word)), word);
  }
  EXPECT_EQ(ParsePriority("Required"), std::nullopt);
  EXPECT_EQ(ParseMultiArch(""), std::nullopt);
}

}  // namespace
}  // namespace imgbuild::specs
