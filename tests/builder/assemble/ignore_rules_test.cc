#include "builder/assemble/ignore_rules.h"

#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

using Kind = IgnoreRules::Kind;

TEST(GlobMatches, KnowsStarsClassesAndEscapes) {
  const struct {
    const char* pattern;
    const char* text;
    bool matches;
  } kCases[] = {
      {"*.pyc", "a.pyc", true},
      {"*.pyc", "a/b.pyc", false},
      {"a*c", "abc", true},
      {"a?c", "a/c", false},
      {"[a-c]x", "bx", true},
      {"[!a-c]x", "bx", false},
      {"[", "[", true},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"**/x", "x", true},
      {"**/x", "a/b/x", true},
      {"**/x", "a/bx", false},
      {"a/**", "a/b/c", true},
      {"a/**/z", "a/z", true},
      {"a/**/z", "a/b/c/z", true},
      {"", "", true},
      {"", "a", false},
      {"a", "", false},
      {"*", "", true},
      {"a**b", "a/b", true},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(GlobMatches(c.pattern, c.text), c.matches) << c.pattern << " ~ " << c.text;
  }
}

TEST(IgnoreRules, TheLastRuleThatMatchesDecides) {
  IgnoreRules rules;
  rules.Add("# comment\n*.log\n!keep.log\nbuild/\n/top\ndocs/*.tmp  \n", "");
  EXPECT_TRUE(rules.Ignores("a/b.log", Kind::kFile));
  EXPECT_FALSE(rules.Ignores("a/keep.log", Kind::kFile));
  EXPECT_TRUE(rules.Ignores("x/build", Kind::kDirectory));
  EXPECT_FALSE(rules.Ignores("x/build", Kind::kFile));
  EXPECT_TRUE(rules.Ignores("top", Kind::kFile));
  EXPECT_FALSE(rules.Ignores("a/top", Kind::kFile));
  EXPECT_TRUE(rules.Ignores("docs/x.tmp", Kind::kFile));
  EXPECT_FALSE(rules.Ignores("docs/sub/x.tmp", Kind::kFile));
}

TEST(IgnoreRules, OfASubdirectoryCountOnlyBelowIt) {
  IgnoreRules rules;
  rules.Add("data\n", "sub");
  EXPECT_TRUE(rules.Ignores("sub/data", Kind::kFile));
  EXPECT_TRUE(rules.Ignores("sub/x/data", Kind::kFile));
  EXPECT_FALSE(rules.Ignores("data", Kind::kFile));
  EXPECT_FALSE(rules.Ignores("subdata/data", Kind::kFile));
}

}  // namespace
}  // namespace imgbuild::builder
