// The text of a TOML array of strings (TOML 1.0, "Array"): where its parts stand, and changes of it
// that leave everything else, comments and layout, as it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/base/problems.h"

namespace imgbuild::specs {

struct ArrayItemText {
  std::size_t begin = 0;
  std::size_t end = 0;                         // behind its last byte
  std::size_t comma = std::string_view::npos;  // the one behind it, if there is one
};

struct ArrayText {
  std::size_t begin = 0;  // "["
  std::size_t end = 0;    // "]"
  std::vector<ArrayItemText> items;
};

// The byte that a parser calls that line and column (of code points); nullopt where the text has no
// such place.
std::optional<std::size_t> OffsetOf(std::string_view text, const SourcePosition& where);

// The array that begins at `offset`; nullopt where none does, or it does not end.
std::optional<ArrayText> ScanArray(std::string_view text, std::size_t offset);
// The end of the string that begins at `offset`; nullopt likewise.
std::optional<std::size_t> ScanString(std::string_view text, std::size_t offset);

// The whole text with `value` as one more string at the end of the array: on a line of its own
// where the last one begins a line.
std::string WithItem(std::string_view text, const ArrayText& array, std::string_view value);
// The whole text without an item. A line that was its own goes with it, and the comment there.
std::string WithoutItem(std::string_view text, const ArrayText& array, std::size_t index);

}  // namespace imgbuild::specs
