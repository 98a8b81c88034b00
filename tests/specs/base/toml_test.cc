#include "specs/base/toml.h"

#include <gtest/gtest.h>

namespace imgbuild::specs {
namespace {

TomlValue Parse(std::string_view text) {
  auto parsed = ParseToml(text, "x.toml");
  EXPECT_TRUE(std::holds_alternative<TomlValue>(parsed)) << text;
  return std::get<TomlValue>(std::move(parsed));
}

TEST(Toml, KnowsWhereEverythingStands) {
  TomlValue document = Parse("z = 1\n[b]\na = [\"x\",\n  \"y\"]\n[a]\nd = 2026-11-01\n");
  ASSERT_EQ(document.entries.size(), 3u);
  EXPECT_EQ(document.entries[0].key, "z");
  EXPECT_EQ(document.entries[1].key, "b");
  const TomlValue* array = document.Find("b")->Find("a");
  EXPECT_EQ(array->items[1].where.Render(), "x.toml:4:3");
  EXPECT_EQ(document.Find("b")->entries[0].where.Render(), "x.toml:3:1");
  EXPECT_EQ(document.Find("a")->Find("d")->text, "2026-11-01");
  EXPECT_EQ(document.Find("none"), nullptr);
}

TEST(Toml, ReadsEveryKind) {
  TomlValue d = Parse("s='a'\ni=-3\nf=1.5\nb=true\nt=2026-11-01T10:00:00Z\nh={x=1}\n");
  EXPECT_EQ(d.Find("s")->text, "a");
  EXPECT_EQ(d.Find("i")->integer, -3);
  EXPECT_EQ(d.Find("f")->number, 1.5);
  EXPECT_TRUE(d.Find("b")->boolean);
  EXPECT_EQ(d.Find("t")->text, "2026-11-01T10:00:00Z");
  EXPECT_EQ(TomlKindName(d.Find("h")->kind), "a table");
}

TEST(Toml, SaysWhatIsWrongAndWhere) {
  for (const char* text : {"a", "a = ", "a = 1\na = 2", "[a", "[=]", "[.a]", "[a.=]", "= 1",
                           "a = \"\xFF\"", "a = 99999999999999999999"}) {
    EXPECT_TRUE(std::holds_alternative<Problem>(ParseToml(text, "x.toml"))) << text;
  }
  auto problem = std::get<Problem>(ParseToml("a = 1\nb = ?", "x.toml"));
  EXPECT_EQ(problem.where.file, "x.toml");
  EXPECT_EQ(problem.where.line, 2);
  EXPECT_EQ(std::get<Problem>(ParseToml("a = bare", "x.toml")).hint,
            "texts need quotes: key = \"value\"");
  for (std::string text : {std::string("a = \"\xE9\""), std::string("a\0=\0", 4)}) {
    EXPECT_EQ(std::get<Problem>(ParseToml(text, "x.toml")).hint, "save the file as UTF-8 text");
  }
  std::string deep = "a = " + std::string(100'000, '[');
  EXPECT_TRUE(std::holds_alternative<Problem>(ParseToml(deep, "x.toml")));
}

TEST(Toml, QuotesWhatItReadsBack) {
  for (std::string text : {"plain", "q\"\\b", "line\nline\ttab", "\x01\x7F", "\xC3\xA9", ""}) {
    EXPECT_EQ(Parse("a = " + TomlQuote(text)).Find("a")->text, text);
    EXPECT_NE(Parse(TomlKey(text) + " = 1").Find(text), nullptr);
  }
  EXPECT_EQ(TomlKey("a-b_1"), "a-b_1");
  EXPECT_EQ(TomlKey("a.b"), "\"a.b\"");
  EXPECT_EQ(TomlArray({"a", "b"}), "[\"a\", \"b\"]");
}

// Whose classes toml++ does not know: keys and values of other letters.
TEST(Toml, LettersBeyondAsciiStandInStringsAndComments) {
  for (const char* good : {"# é\na = \"é\" # ä", "'ключ' = 'é'", "a = \"\"\"\né\"ö\"\"\"",
                           "a = '''é'ö'''", "a = \"\\\"é\"", "a = \"\"\"x\"\"\"\" # \"é\"",
                           "\xEF\xBB\xBF"
                           "a = 1"}) {
    EXPECT_TRUE(std::holds_alternative<TomlValue>(ParseToml(good, "t"))) << good;
  }
  for (const char* bad : {"é = 1", "a\u048C = 1", "a = é", "a = [1,\u00A0 2]", "a = 1 é",
                          "\"a\"é = 1", "l\xD2\x8Cta", "a = \"x\ny\" \xD2", "\xFF"}) {
    EXPECT_TRUE(std::holds_alternative<Problem>(ParseToml(bad, "t"))) << bad;
  }
  const auto problem = std::get<Problem>(ParseToml("# é\n\"ö\" = ü", "t"));
  EXPECT_EQ(problem.where.Render(), "t:2:7");
}

}  // namespace
}  // namespace imgbuild::specs
