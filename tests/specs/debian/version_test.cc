#include "specs/debian/version.h"

#include <random>

#include <gtest/gtest.h>

namespace imgbuild::specs {
namespace {

TEST(DebianVersion, PartsFollowThePolicy) {
  EXPECT_EQ(DebianVersion::Parse("1:2.3-4"), (DebianVersion{1, "2.3", "4"}));
  EXPECT_EQ(DebianVersion::Parse(" 2.3 "), (DebianVersion{0, "2.3", ""}));
  EXPECT_EQ(DebianVersion::Parse("2-3-4"), (DebianVersion{0, "2-3", "4"}));
  EXPECT_EQ(DebianVersion::Parse("1:2:3-4"), (DebianVersion{1, "2:3", "4"}));
  for (const char* text : {"1:2.3-4", "2.3", "2-3-4", "1:2:3-4", "0~rc1+dfsg-1~bpo12+1"}) {
    EXPECT_EQ(DebianVersion::Parse(text)->Render(), text);
  }
  EXPECT_EQ(DebianVersion::Parse("0:2.3-4")->Render(), "2.3-4");
}

TEST(DebianVersion, RefusesWhatThePolicyForbids) {
  for (const char* text : {"", " ", "a1", "-1", "1-", "1:", ":1", "x:1", "1 2", "1_2", "1-2_3",
                           "99999999999:1", "1:-1", "0:1:2", "1\xc3\xa9"}) {
    EXPECT_EQ(DebianVersion::Parse(text), std::nullopt) << text;
  }
}

TEST(DebianVersion, OneSortedTable) {
  const std::vector<std::string> sorted = {"~~",
                                           "~~a",
                                           "~",
                                           "0",
                                           "0a",
                                           "0+",
                                           "0.1~rc1",
                                           "0.1",
                                           "0.1-0.1",
                                           "0.1-1~a",
                                           "0.1-1",
                                           "0.1-1a",
                                           "0.1-1.1",
                                           "0.1a-1",
                                           "0.1+b1",

                                           "0.2",
                                           "0.9",
                                           "0.10",
                                           "1.0~~",
                                           "1.0~",
                                           "1.0",
                                           "1.0-1",
                                           "1.0a",
                                           "1.0b",
                                           "1.0+",
                                           "1.0.0",
                                           "1.2.3",
                                           "1.10",
                                           "2~",
                                           "2",
                                           "2.36-9+deb12u9",
                                           "2.36-9+deb12u10",
                                           "99999999999999999999999998",
                                           "99999999999999999999999999",
                                           "1:0",
                                           "1:0.1",
                                           "2:0",
                                           "10:0"};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    for (std::size_t j = 0; j < sorted.size(); ++j) {
      auto expected = i <=> j;
      EXPECT_EQ(CompareDebianVersions(sorted[i], sorted[j]) < 0, expected < 0)
          << sorted[i] << " " << sorted[j];
      EXPECT_EQ(CompareDebianVersions(sorted[i], sorted[j]) == 0, expected == 0)
          << sorted[i] << " " << sorted[j];
    }
  }
}

TEST(DebianVersion, DifferentTextsMayBeEquivalent) {
  for (auto [a, b] :
       {std::pair("1.0", "1.0-0"), {"0:1", "1"}, {"1.01", "1.1"}, {"00:1", "1"}, {"1.0", "1.0-"}}) {
    EXPECT_TRUE(CompareDebianVersions(a, b) == 0) << a << " " << b;
  }
}

TEST(DebianVersion, OperatorsHold) {
  EXPECT_TRUE(SatisfiesVersion("1", VersionOp::kAny, "9"));
  EXPECT_TRUE(SatisfiesVersion("1", VersionOp::kLess, "2"));
  EXPECT_FALSE(SatisfiesVersion("2", VersionOp::kLess, "2"));
  EXPECT_TRUE(SatisfiesVersion("2", VersionOp::kLessEqual, "2"));
  EXPECT_TRUE(SatisfiesVersion("2", VersionOp::kEqual, "2-0"));
  EXPECT_TRUE(SatisfiesVersion("2", VersionOp::kGreaterEqual, "2"));
  EXPECT_FALSE(SatisfiesVersion("2", VersionOp::kGreater, "2"));
  EXPECT_TRUE(SatisfiesVersion("2+b1", VersionOp::kGreater, "2"));
}

TEST(DebianVersion, OrderIsTotalOnAnyText) {
  std::mt19937 random(1);
  const std::string_view alphabet = "019az~+-.:";
  std::vector<std::string> texts;
  for (int i = 0; i < 120; ++i) {
    std::string text;
    for (int n = static_cast<int>(random() % 7); n > 0; --n) {
      text += alphabet[random() % alphabet.size()];
    }
    texts.push_back(text);
  }
  for (const std::string& a : texts) {
    for (const std::string& b : texts) {
      auto order = CompareDebianVersions(a, b);
      EXPECT_TRUE((CompareDebianVersions(b, a) < 0) == (order > 0)) << a << " " << b;
      if (order >= 0) continue;
      for (const std::string& c : texts) {
        if (CompareDebianVersions(b, c) <= 0) {
          EXPECT_TRUE(CompareDebianVersions(a, c) < 0) << a << " " << b << " " << c;
        }
      }
    }
    if (auto parsed = DebianVersion::Parse(a)) {
      EXPECT_EQ(DebianVersion::Parse(parsed->Render()), parsed) << a;
      EXPECT_TRUE(CompareDebianVersions(parsed->Render(), a) == 0) << a;
    }
  }
}

}  // namespace
}  // namespace imgbuild::specs
