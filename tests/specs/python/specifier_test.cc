#include "specs/python/specifier.h"

#include <gtest/gtest.h>

namespace imgbuild::specs {
namespace {

SpecifierSet Set(std::string_view text) {
  auto parsed = SpecifierSet::Parse(text);
  EXPECT_TRUE(std::holds_alternative<SpecifierSet>(parsed)) << text;
  return std::get<SpecifierSet>(std::move(parsed));
}

Version V(std::string_view text) { return Version::Parse(text).value(); }

struct Case {
  const char* specifier;
  const char* inside;  // versions that fit, between blanks
  const char* outside;
};

constexpr Case kCases[] = {
    {"==1.0", "1 1.0.0 1.0+x 1.0+1.2", "1.0.post0 1.0a1 1.0.dev0 1.1 1!1.0"},
    {"==1.0+x", "1.0+x 1+X", "1.0 1.0+y 1.0+x.1"},
    {"!=1.0", "1.0.post0 1.0a1 2", "1 1.0+x"},
    {"!=1.0+x", "1.0 1.0+y 1.0+x.1", "1.0+x"},
    {"==1.0.*", "1.0 1.0.dev0 1.0a1 1.0.post3 1.0.9+x", "1.1.dev0 0.9 1!1.0"},
    {"!=1.*", "2.dev0 0.9.post1", "1 1.dev0 1.9+x"},
    {"<=1.0", "1.0 1.0+x 1.0a1 0.1", "1.0.post0.dev0 1.0.1.dev0"},
    {">=1.0", "1.0 1.0+x 1.0.post0.dev0 2.dev0", "1.0rc9 1.0.dev3"},
    {">=1.0.dev2", "1.0.dev2 1.0a1 1.0", "1.0.dev1"},
    {"<1.0", "0.9 0.9.post1", "1.0.dev0 1.0a1 1.0 1.0+x"},
    {"<1.0rc1", "1.0b3 1.0rc1.dev3", "1.0rc1"},
    {"<1.0.post2", "1.0.post1 1.0 1.0rc1", "1.0.post2 1.0.post2.dev0"},
    {">1.0", "1.0.1.dev0 1.1 2", "1.0 1.0+x 1.0.post1 1.0.post1.dev0 1.0.post9+x"},
    {">1.0.post1", "1.0.post2 1.0.post2.dev0", "1.0.post1 1.0.post1+x"},
    {">1.0.dev1", "1.0.dev2 1.0a1 1.0", "1.0.dev1 1.0.dev1+x"},
    {">1.0a1", "1.0a2.dev0 1.0b1 1.0", "1.0a1 1.0a1.post1"},
    {"~=2.2", "2.2 2.9 2.2.post3", "3.dev0 2.1 2.2.dev0"},
    {"~=1.4.5a4", "1.4.5a4 1.4.5 1.4.9", "1.5.dev0 1.4.5a3"},
    {"~=1!1.0.0", "1!1.0.7", "1!1.1 1.0.1"},
    {"~=2.2.post3", "2.2.post3 2.3", "2.2 3.0"},
    {">=1.0,<2,!=1.5.*", "1.4.9 1.6", "1.5.3 2.0.dev0"},
    {"", "0.dev0 1!1", ""},
    {"==1.*,==2.*", "", "1.0 2.0"}};

template <typename Visit>
void EachWord(const char* words, Visit visit) {
  std::istringstream stream(words);
  for (std::string word; stream >> word;) visit(word);
}

TEST(SpecifierSet, AdmitsWhatThePepSays) {
  for (const Case& c : kCases) {
    SpecifierSet set = Set(c.specifier);
    EachWord(c.inside, [&](const std::string& version) {
      EXPECT_TRUE(set.Contains(V(version))) << c.specifier << " " << version;
      EXPECT_TRUE(set.Range().Contains(V(version))) << c.specifier << " " << version;
      EXPECT_FALSE(set.Range().Complement().Contains(V(version))) << c.specifier << " " << version;
    });
    EachWord(c.outside, [&](const std::string& version) {
      EXPECT_FALSE(set.Contains(V(version))) << c.specifier << " " << version;
      EXPECT_FALSE(set.Range().Contains(V(version))) << c.specifier << " " << version;
      EXPECT_TRUE(set.Range().Complement().Contains(V(version))) << c.specifier << " " << version;
    });
  }
}

TEST(SpecifierSet, ComparesArbitraryEqualityAsText) {
  EXPECT_TRUE(Set("===1.0-Foo").Contains(std::string_view("1.0-foo")));
  EXPECT_FALSE(Set("===1.0").Contains(std::string_view("1.0.0")));
  EXPECT_TRUE(Set("===1.0,>=1").Contains(std::string_view("1.0")));
  EXPECT_TRUE(Set("===1.0").Contains(V("1.0")));
  EXPECT_EQ(Set("===1.0").Range(), VersionRange::Only(V("1.0")));
  EXPECT_TRUE(Set("===foo").Range().empty());
}

TEST(SpecifierSet, LeavesPrereleasesOutWhenToldTo) {
  EXPECT_TRUE(Set(">=1").Contains(V("2a1")));
  EXPECT_TRUE(Set(">=1").Contains(V("2a1"), true));
  EXPECT_FALSE(Set(">=1").Contains(V("2a1"), false));
  EXPECT_FALSE(Set(">=1a1").Contains(V("2.dev1"), false));
  EXPECT_TRUE(Set("").Contains(std::string_view("no version"), false));
  EXPECT_FALSE(Set(">=0").Contains(std::string_view("no version")));
}

TEST(SpecifierSet, KnowsWhenPrereleasesAreWanted) {
  EXPECT_TRUE(Set(">=1.0a1").MentionsPrerelease());
  EXPECT_TRUE(Set("==1.0.dev1,<9").MentionsPrerelease());
  EXPECT_TRUE(Set("===1.0rc1").MentionsPrerelease());
  for (const char* text : {"", ">=1.0", "!=1.0a1", "==1.*", "===foo", ">1.post1"}) {
    EXPECT_FALSE(Set(text).MentionsPrerelease()) << text;
  }
}

TEST(SpecifierSet, RendersSortedAndOnce) {
  EXPECT_EQ(Set(" >= 1.0 ,!=1.3, == 1.0,==1.0.0 ,").Render(), "!=1.3,==1.0,>=1.0");
  EXPECT_EQ(Set("==1.0"), Set("== 1.0.0"));
  EXPECT_FALSE(Set("~=1.0") == Set("~=1.0.0"));
  EXPECT_EQ(Set(Set(">=1,<2").Render()), Set("<2,>=1"));
}

TEST(SpecifierSet, RefusesWithAPlace) {
  for (const char* text : {"1.0", "=1.0", ">=", ">=1.*", "~=1", "==1.0a1.*", ">=1.0+x", "==1.0 2",
                           "<=>1", "!=1.*+x", "==", "===1 0", ">=1.0;"}) {
    EXPECT_TRUE(std::holds_alternative<SyntaxError>(SpecifierSet::Parse(text))) << text;
  }
  auto error = std::get<SyntaxError>(SpecifierSet::Parse(">=1, ~=2"));
  EXPECT_EQ(error.position, 5u);
  EXPECT_EQ(error.message,
            "\"~=2\" is no version specifier; \"~=\" needs at least two release numbers");
}

VersionRange Of(std::string_view text) { return Set(text).Range(); }

TEST(VersionRange, IsAnAlgebra) {
  EXPECT_TRUE(VersionRange::Full().IsFull());
  EXPECT_TRUE(VersionRange().empty());
  EXPECT_EQ(VersionRange().Complement(), VersionRange::Full());
  EXPECT_EQ(Of(">=0.dev0"), VersionRange::Full());
  EXPECT_TRUE(Of("<0.dev0").empty());
  EXPECT_EQ(Of("<=1.0").Union(Of(">=1.0.post0.dev0")), VersionRange::Full());
  EXPECT_TRUE(Of(">1.0").Intersect(Of("<=1.0.post7")).empty());
  EXPECT_TRUE(Of("==1.5").IsSubsetOf(Of(">=1,<2")));
  EXPECT_FALSE(Of("==2").IsSubsetOf(Of(">=1,<2")));
  EXPECT_TRUE(Of("<1").IsDisjointFrom(Of(">=1")));
  const char* kSets[] = {">=1,<2", "!=1.5", "==1.*", ">1.0", "==1.0+x", "<0.5", "~=1.2.3", ""};
  for (const char* a : kSets) {
    EXPECT_EQ(Of(a).Complement().Complement(), Of(a)) << a;
    EXPECT_TRUE(Of(a).Intersect(Of(a).Complement()).empty()) << a;
    EXPECT_TRUE(Of(a).Union(Of(a).Complement()).IsFull()) << a;
    for (const char* b : kSets) {
      EXPECT_EQ(Of(a).Union(Of(b)).Complement(), Of(a).Complement().Intersect(Of(b).Complement()))
          << a << " " << b;
    }
  }
}

TEST(VersionRange, RendersForPeople) {
  for (const char* text :
       {"==1.5", "==1.5+x", ">=1.5", "<=1.5", "<1.5", ">1.5", ">=1,<2", "!=1.5", ">=1,<2,!=1.5",
        "==1.*", "==1!2.1.*", "!=1.*", "<1.5a1", "<1.post2", ">=1.5rc1", "!=1.2,!=1.5"}) {
    EXPECT_EQ(Of(text).Render(), text);
  }
  EXPECT_EQ(Of("==1.0.*").Render(), "==1.0.*");
  EXPECT_EQ(Of("~=1.2.3").Render(), ">=1.2.3,<1.3");
  EXPECT_EQ(Of("<1").Union(Of(">=2,<3")).Render(), "<1 or >=2,<3");
  EXPECT_EQ(Of(">1").Complement().Render(), "<=1");
  EXPECT_EQ(VersionRange().Render(), "no version");
  EXPECT_EQ(VersionRange::Full().Render(), "any version");
}

}  // namespace
}  // namespace imgbuild::specs
