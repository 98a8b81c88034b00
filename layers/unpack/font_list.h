// matplotlib's list of fonts ("fontlist-v390.json"), which it makes from all font files when it is
// first imported and finds no such file in its cache folder: a quarter of a second that images
// save.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::layers {

// Where the list of a matplotlib lies that this program installed, below site-packages; beside the
// fonts that it lists.
inline constexpr std::string_view kMatplotlibData = "matplotlib/mpl-data";

struct FontFile {
  std::string name;     // below mpl-data: "fonts/ttf/DejaVuSans.ttf"
  std::string content;  // all of it
};

// Whether a file below mpl-data is one that matplotlib looks at.
bool IsListedFont(std::string_view name);

struct FontList {
  std::string name;  // "fontlist-v390.json"
  std::string json;
};

// `font_manager`: the text of matplotlib/font_manager.py, which has the version of the list's form
// and rules. Entries are sorted by file. nullopt for a version that is not known here, and for a
// font that cannot be read: then matplotlib makes its own.
std::optional<FontList> MakeFontList(std::string_view font_manager,
                                     const std::vector<FontFile>& fonts);

}  // namespace imgbuild::layers
