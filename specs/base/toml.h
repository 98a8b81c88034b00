// TOML 1.0 documents as a tree of values that know where they stand.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "specs/base/problems.h"

namespace imgbuild::specs {

struct TomlEntry;

// One value. Which of the fields holds it is told by `kind`; the others are empty.
struct [[nodiscard]] TomlValue {
  enum class Kind { kString, kInteger, kFloat, kBoolean, kDate, kArray, kTable };

  Kind kind = Kind::kTable;
  SourcePosition where;
  std::string text;  // kString; kDate as RFC 3339 writes it
  std::int64_t integer = 0;
  double number = 0;  // kFloat
  bool boolean = false;
  std::vector<TomlValue> items;    // kArray
  std::vector<TomlEntry> entries;  // kTable, in order of position; keys once

  // The value of a table's key; null if there is none.
  const TomlValue* Find(std::string_view key) const;
  TomlValue* Find(std::string_view key);
};

struct TomlEntry {
  std::string key;
  SourcePosition where;  // of the key
  TomlValue value;
};

// "a string", "a table", ...: for "found a string, expected a table".
std::string_view TomlKindName(TomlValue::Kind kind);

// The document as a table, or what is wrong with it and where. `file` names it in positions.
std::variant<TomlValue, Problem> ParseToml(std::string_view text, std::string_view file);

// `text` as a basic string: quotes around it, escapes where TOML needs them.
std::string TomlQuote(std::string_view text);
// `key` bare where TOML allows, else quoted.
std::string TomlKey(std::string_view key);
// ["a", "b"], on one line.
std::string TomlArray(const std::vector<std::string>& texts);

}  // namespace imgbuild::specs
