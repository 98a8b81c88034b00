#include "specs/debian/control.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::specs {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kTwo =
    "Package: a\nVersion: 1\nDescription: short\n long\n .\n  indented\n\n\n"
    "# a comment\nPackage: b\r\nDepends:\n x,\n y\n";

TEST(Control, ReaderGivesViewsAndLines) {
  ControlReader reader(kTwo, "f");
  auto first = reader.Next();
  ASSERT_TRUE(first);
  ASSERT_EQ(first->size(), 3u);
  EXPECT_EQ((*first)[2].name, "Description");
  EXPECT_EQ((*first)[2].value, "short\n long\n .\n  indented");
  auto second = reader.Next();
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)[0].value, "b");
  EXPECT_EQ((*second)[0].line, 10);
  EXPECT_EQ((*second)[1].value, "\n x,\n y");
  EXPECT_FALSE(reader.Next());
}

TEST(Control, StanzasRenderBack) {
  std::vector<ControlStanza> stanzas = ParseControl(kTwo, "f");
  ASSERT_EQ(stanzas.size(), 2u);
  EXPECT_EQ(stanzas[0].Get("description"), "short\nlong\n\n indented");
  EXPECT_EQ(stanzas[1].Get("Depends"), "\nx,\ny");
  EXPECT_EQ(stanzas[1].Get("Nothing"), std::nullopt);
  EXPECT_EQ(ParseControl(RenderControl(stanzas), "f"), stanzas);
  EXPECT_EQ(RenderControl(stanzas),
            "Package: a\nVersion: 1\nDescription: short\n long\n .\n  indented\n\n"
            "Package: b\nDepends:\n x,\n y\n");
  stanzas[0].Set("version", "2");
  stanzas[0].Set("New", "");
  EXPECT_EQ(stanzas[0].Get("Version"), "2");
  EXPECT_EQ(ParseControl(RenderControl(stanzas), "f"), stanzas);
}

TEST(Control, SaysWhichLineIsWrong) {
  for (auto [text, place] : {std::pair("Package: a\nno field\n", "f:2"),
                             {" x\n", "f:1"},
                             {"A: 1\n\n: 2\n", "f:3"},
                             {"A: 1\nB b: 2\n", "f:2"},
                             {"A: 1\na: 2\n", "f:2"}}) {
    try {
      ParseControl(text, "f");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(place));
    }
  }
}

TEST(Control, RandomTextNeverCrashesAndRoundTrips) {
  std::mt19937 random(3);
  const std::string_view alphabet = "AB: .\n\n\t\r#x";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (int n = static_cast<int>(random() % 24); n > 0; --n) {
      text += alphabet[random() % alphabet.size()];
    }
    try {
      std::vector<ControlStanza> stanzas = ParseControl(text, "f");
      EXPECT_EQ(ParseControl(RenderControl(stanzas), "f"), stanzas) << text;
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace imgbuild::specs
