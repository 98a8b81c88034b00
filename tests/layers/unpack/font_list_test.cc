#include "layers/unpack/font_list.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/unpack/sfnt.h"

namespace imgbuild::layers {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Big16(unsigned value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}
std::string Big32(unsigned value) { return Big16(value >> 16) + Big16(value & 0xffff); }

std::string Wide(std::string_view text) {
  std::string wide;
  for (char letter : text) wide += {'\0', letter};
  return wide;
}

struct Name {
  unsigned platform, encoding, language, id;
  std::string value;
};

std::string MakeFont(const std::vector<Name>& names, unsigned weight = 400,
                     unsigned selection = 0) {
  std::string records, storage;
  for (const Name& name : names) {
    for (unsigned field : {name.platform, name.encoding, name.language, name.id}) {
      records += Big16(field);
    }
    records += Big16(name.value.size()) + Big16(storage.size());
    storage += name.value;
  }
  const std::string table =
      Big16(0) + Big16(names.size()) + Big16(6 + records.size()) + records + storage;
  std::string os2 = Big16(4) + Big16(0) + Big16(weight);
  os2.resize(62, '\0');
  os2 += Big16(selection);
  const unsigned first = 12 + 2 * 16;
  return Big32(0x00010000) + Big16(2) + Big16(0) + Big32(0) + "OS/2" + Big32(0) + Big32(first) +
         Big32(os2.size()) + "name" + Big32(0) + Big32(first + os2.size()) + Big32(table.size()) +
         os2 + table;
}

constexpr const char* kManager = "class FontManager:\n    __version__ = 390\n";
constexpr const char* kNewer = "class FontManager:\n    __version__ = '3.11.0'\n";

TEST(SfntTest, NamesAFamilyAsFreeTypeDoes) {
  EXPECT_EQ(ReadSfnt(MakeFont({{1, 0, 0, 1, "Mac"}, {3, 1, 0x409, 1, Wide("Windows")}}))->family,
            "Windows");
  EXPECT_EQ(ReadSfnt(MakeFont({{1, 0, 0, 1, "Mac"}, {3, 1, 0x407, 1, Wide("Deutsch")}}))->family,
            "Mac");
  EXPECT_EQ(
      ReadSfnt(MakeFont({{3, 1, 0x409, 1, Wide("Font")}, {3, 1, 0x409, 16, Wide("Fine")}}))->family,
      "Fine");
  EXPECT_EQ(ReadSfnt(MakeFont({{0, 3, 0, 1, Wide("Uni")}}))->family, "Uni");
}

TEST(SfntTest, RefusesWhatIsCut) {
  const std::string font = MakeFont({{1, 0, 0, 1, "Mac"}, {3, 1, 0x409, 1, Wide("Windows")}});
  ASSERT_TRUE(ReadSfnt(font));
  for (std::size_t size = 0; size < font.size(); ++size) {
    EXPECT_FALSE(ReadSfnt(std::string_view(font).substr(0, size))) << size;
  }
  EXPECT_FALSE(ReadSfnt("ttcf" + font.substr(4)));
}

TEST(FontListTest, TakesStyleAndStretchFromTheFullName) {
  const auto list = MakeFontList(
      kManager, {{"fonts/ttf/b.ttf", MakeFont({{3, 1, 0x409, 1, Wide("Some")},
                                               {3, 1, 0x409, 4, Wide("Some Narrow Oblique")}},
                                              700)},
                 {"fonts/ttf/a.ttf", MakeFont({{3, 1, 0x409, 1, Wide("Some")}}, 400, 1)}});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->name, "fontlist-v390.json");
  EXPECT_THAT(list->json, HasSubstr("\"_version\": 390"));
  EXPECT_THAT(list->json, Not(HasSubstr("\"index\"")));
  EXPECT_THAT(list->json,
              testing::ContainsRegex("a.ttf\",\n *\"name\": \"Some\",\n *\"style\": \"italic\","));
  EXPECT_THAT(list->json,
              HasSubstr("\"style\": \"oblique\",\n   \"variant\": \"normal\",\n   \"weight\": "
                        "700,\n   \"stretch\": \"condensed\""));
}

TEST(FontListTest, GivesOtherFamiliesEntriesSinceTheyCount) {
  const std::string font = MakeFont({{3, 1, 0x409, 1, Wide("Some Light")},
                                     {3, 1, 0x409, 2, Wide("Regular")},
                                     {3, 1, 0x409, 16, Wide("Some")},
                                     {3, 1, 0x409, 17, Wide("Light")}},
                                    300);
  EXPECT_THAT(MakeFontList(kManager, {{"fonts/ttf/a.ttf", font}})->json,
              Not(HasSubstr("Some Light")));
  const auto newer = MakeFontList(kNewer, {{"fonts/ttf/a.ttf", font}});
  EXPECT_EQ(newer->name, "fontlist-v3.11.0.json");
  EXPECT_THAT(newer->json, HasSubstr("\"name\": \"Some Light\",\n   \"style\": \"normal\",\n   "
                                     "\"variant\": \"normal\",\n   \"weight\": 400"));
}

TEST(FontListTest, LeavesToMatplotlibWhatItDoesNotKnow) {
  const FontFile font{"fonts/ttf/a.ttf", MakeFont({{3, 1, 0x409, 1, Wide("Some")}})};
  EXPECT_TRUE(MakeFontList(kManager, {font}));
  EXPECT_FALSE(MakeFontList("    __version__ = 390\n", {font}));  // of nothing
  EXPECT_FALSE(MakeFontList("class FontManager:\n    __version__ = 400\n", {font}));
  EXPECT_FALSE(MakeFontList("class FontManager:\n    __version__ = '390'\n", {font}));
  EXPECT_FALSE(MakeFontList(kManager, {font, {"fonts/ttf/b.ttf", "no font"}}));
  EXPECT_FALSE(MakeFontList(kManager, {font, {"fonts/afm/b.afm", "FontName B\n"}}));
}

TEST(FontListTest, ReadsMetrics) {
  const auto list = MakeFontList(
      kManager, {{"fonts/afm/a.afm",
                  "StartFontMetrics 2.0\r\nFontName Gill-BoldCond\r\nFamilyName Gill Sans\r\n"
                  "Weight Bold\r\nItalicAngle -12.5\r\nStartCharMetrics 1\r\nWeight Thin\r\n"}});
  ASSERT_TRUE(list);
  EXPECT_THAT(list->json, HasSubstr("\"style\": \"italic\",\n   \"variant\": \"normal\",\n   "
                                    "\"weight\": \"bold\",\n   \"stretch\": \"condensed\""));
}

}  // namespace
}  // namespace imgbuild::layers
