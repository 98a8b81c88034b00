#include "specs/python/requirement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace imgbuild::specs {
namespace {

using testing::ElementsAre;

Requirement R(std::string_view text) {
  auto parsed = Requirement::Parse(text);
  auto* error = std::get_if<SyntaxError>(&parsed);
  EXPECT_EQ(error, nullptr) << text << ": " << error->message;
  return std::get<Requirement>(std::move(parsed));
}

TEST(Requirement, ReadsEveryPart) {
  Requirement r = R(" Foo.Bar [b, a,b] (>=1.0, !=1.5) ; python_version < '3.12' ");
  EXPECT_EQ(r.name, "Foo.Bar");
  EXPECT_THAT(r.extras, ElementsAre("a", "b"));
  EXPECT_EQ(r.specifier.Render(), "!=1.5,>=1.0");
  EXPECT_EQ(r.marker->Render(), "python_version < \"3.12\"");
  EXPECT_EQ(r.url, "");
  Requirement url = R("pip @ https://files.example/pip.whl#sha256=00 ; os_name == 'posix'");
  EXPECT_EQ(url.url, "https://files.example/pip.whl#sha256=00");
  EXPECT_TRUE(url.marker);
  EXPECT_EQ(R("a@b;c").url, "b;c");
  EXPECT_TRUE(R("a []").extras.empty());
  EXPECT_EQ(R("a===1.x;os_name=='a'").specifier.Render(), "===1.x");
}

TEST(Requirement, RendersWhatItReads) {
  for (const char* text : {"a", "a[b,c]>=1", "a<2,>=1; os_name == \"posix\"", "a @ file:///x",
                           "a[x] @ file:///x ; extra == \"b\"", "A_b==1.*"}) {
    EXPECT_EQ(R(text).Render(), text);
    EXPECT_EQ(R(R(text).Render()), R(text));
  }
  EXPECT_EQ(R("Foo_Bar[A.b]"), R("foo-bar[a-b]"));
}

TEST(Requirement, RefusesWithAPlace) {
  const std::pair<const char*, std::size_t> kCases[] = {
      {"", 0},         {"-a", 0},
      {"a[", 2},       {"a[b c]", 4},
      {"a[b,]", 4},    {"a >=", 2},
      {"a >=1 <2", 6}, {"a (>=1", 6},
      {"a @", 3},      {"a >=1.*", 5},
      {"a >=1+x", 5},  {"a; b", 3},
      {"a b", 2},      {"a ==1; os_name", 14},
      {"./a.whl", 0},  {"requirements.txt -r", 17}};
  for (const auto& [text, position] : kCases) {
    auto parsed = Requirement::Parse(text);
    ASSERT_TRUE(std::holds_alternative<SyntaxError>(parsed)) << text;
    EXPECT_EQ(std::get<SyntaxError>(parsed).position, position) << text;
  }
}

TEST(Requirement, ForgivesWhatPackagesInTheWildGetWrong) {
  const std::pair<const char*, const char*> kCases[] = {
      {"a >=1.0 <2", "a<2,>=1.0"},
      {"a (>=1.0,)", "a>=1.0"},
      {"a>=3.6.*", "a>=3.6"},
      {"a ~=1", "a>=1"},
      {"a >='1.0'", "a>=1.0"},
      {"a !=~2.1", "a!=2.1.*"},
      {"a ==2.7*", "a==2.7.*"},
      {"a >dev", "a>0.dev0"},
      {"a>=1.0<2;os_name=='x'", "a<2,>=1.0; os_name == \"x\""}};
  for (const auto& [text, fixed] : kCases) {
    auto parsed = Requirement::ParseLenient(text);
    ASSERT_TRUE(std::holds_alternative<Requirement>(parsed)) << text;
    EXPECT_EQ(std::get<Requirement>(parsed).Render(), fixed);
  }
  EXPECT_TRUE(std::holds_alternative<SyntaxError>(Requirement::ParseLenient("a nonsense")));
  EXPECT_TRUE(std::holds_alternative<SyntaxError>(Requirement::ParseLenient("a >=x y")));
  EXPECT_EQ(std::get<SpecifierSet>(ParseSpecifierLenient(">=3.6.*")).Render(), ">=3.6");
  EXPECT_TRUE(std::holds_alternative<SyntaxError>(ParseSpecifierLenient("python3")));
}

}  // namespace
}  // namespace imgbuild::specs
