#include "builder/assemble/ignore_rules.h"

#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

using Kind = IgnoreRules::Kind;
using Verdict = IgnoreRules::Verdict;

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
  EXPECT_EQ(rules.Judge("a/b.log", Kind::kFile), Verdict::kIgnored);
  EXPECT_EQ(rules.Judge("a/keep.log", Kind::kFile), Verdict::kKept);
  EXPECT_EQ(rules.Judge("x/build", Kind::kDirectory), Verdict::kIgnored);
  EXPECT_EQ(rules.Judge("x/build", Kind::kFile), Verdict::kNone);
  EXPECT_EQ(rules.Judge("top", Kind::kFile), Verdict::kIgnored);
  EXPECT_EQ(rules.Judge("a/top", Kind::kFile), Verdict::kNone);
  EXPECT_EQ(rules.Judge("docs/x.tmp", Kind::kFile), Verdict::kIgnored);
  EXPECT_EQ(rules.Judge("docs/sub/x.tmp", Kind::kFile), Verdict::kNone);
}

TEST(IgnoreRules, OfASubdirectoryCountOnlyBelowIt) {
  IgnoreRules rules;
  rules.Add("data\n", "sub");
  EXPECT_EQ(rules.Judge("sub/data", Kind::kFile), Verdict::kIgnored);
  EXPECT_EQ(rules.Judge("sub/x/data", Kind::kFile), Verdict::kIgnored);
  EXPECT_EQ(rules.Judge("data", Kind::kFile), Verdict::kNone);
  EXPECT_EQ(rules.Judge("subdata/data", Kind::kFile), Verdict::kNone);
}

}  // namespace
}  // namespace imgbuild::builder
