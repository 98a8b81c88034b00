#include "specs/base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace imgbuild::specs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Text, TrimsAndSplits) {
  EXPECT_EQ(Trim(" \ta b\r\n"), "a b");
  EXPECT_EQ(Trim(" \n"), "");
  EXPECT_THAT(Split("a,,b", ','), ElementsAre("a", "", "b"));
  EXPECT_THAT(Split("", ','), ElementsAre(""));
  EXPECT_THAT(SplitWords("  a\tb  "), ElementsAre("a", "b"));
  EXPECT_THAT(SplitWords(" "), IsEmpty());
}

TEST(Text, ParsesUnsignedNumbersOnly) {
  EXPECT_EQ(ParseUnsigned("0"), 0u);
  EXPECT_EQ(ParseUnsigned("18446744073709551615"), 18446744073709551615u);
  for (const char* bad : {"", "-1", "+1", "1 ", "0x1", "18446744073709551616"}) {
    EXPECT_FALSE(ParseUnsigned(bad)) << bad;
  }
}

TEST(Text, WritesBytesForPeople) {
  EXPECT_EQ(HumanBytes(999), "999 B");
  EXPECT_EQ(HumanBytes(1234), "1.2 kB");
  EXPECT_EQ(HumanBytes(9'960), "10 kB");
  EXPECT_EQ(HumanBytes(999'499), "999 kB");
  EXPECT_EQ(HumanBytes(999'500), "1.0 MB");
  EXPECT_EQ(HumanBytes(302'000'000), "302 MB");
}

TEST(Text, WritesDurationsForPeople) {
  EXPECT_EQ(HumanDuration(85), "85 ms");
  EXPECT_EQ(HumanDuration(1'449), "1.4 s");
  EXPECT_EQ(HumanDuration(125'000), "2 min 05 s");
}

TEST(Text, SuggestsOnlyLikelySlips) {
  std::vector<std::string> keys = {"name", "tags", "platforms", "env"};
  EXPECT_THAT(Nearest("nmae", keys), ElementsAre("name"));
  EXPECT_THAT(Nearest("platform", keys), ElementsAre("platforms"));
  EXPECT_THAT(Nearest("services", keys), IsEmpty());
  EXPECT_EQ(DidYouMean("nmae", keys), "did you mean \"name\"?");
  EXPECT_EQ(DidYouMean("services", keys), "");
}

}  // namespace
}  // namespace imgbuild::specs
