#include "specs/base/toml.h"

#include <algorithm>
#include <sstream>

#include <fmt/core.h>

namespace imgbuild::specs {
namespace {

// What toml++ takes for impossible happens on malformed headers such as "[=]": it would abort,
// or with NDEBUG go on with undefined behaviour. Its assertions throw instead, which needs its
// implementation compiled here and not taken from a library.
struct BrokenAssumption {};

[[noreturn]] void ThrowBrokenAssumption() { throw BrokenAssumption(); }

}  // namespace
}  // namespace imgbuild::specs

#undef NDEBUG
#undef TOML_SHARED_LIB
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#define TOML_ASSERT(expr) ((expr) ? void() : imgbuild::specs::ThrowBrokenAssumption())
#include <toml++/toml.h>

namespace imgbuild::specs {
namespace {

SourcePosition PositionOf(const toml::source_region& region, const std::string& file) {
  return {file, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

template <typename Date>
std::string DateText(const Date& date) {
  std::ostringstream text;
  text << date;
  return text.str();
}

TomlValue Convert(const toml::node& node, const std::string& file) {
  TomlValue value;
  value.where = PositionOf(node.source(), file);
  if (const toml::table* table = node.as_table()) {
    for (const auto& [key, child] : *table) {
      value.entries.push_back(
          {std::string(key.str()), PositionOf(key.source(), file), Convert(child, file)});
    }
    std::stable_sort(value.entries.begin(), value.entries.end(),
                     [](const TomlEntry& a, const TomlEntry& b) { return a.where < b.where; });
  } else if (const toml::array* array = node.as_array()) {
    value.kind = TomlValue::Kind::kArray;
    for (const toml::node& child : *array) value.items.push_back(Convert(child, file));
  } else if (const auto* text = node.as_string()) {
    value.kind = TomlValue::Kind::kString;
    value.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    value.kind = TomlValue::Kind::kInteger;
    value.integer = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    value.kind = TomlValue::Kind::kFloat;
    value.number = number->get();
  } else if (const auto* boolean = node.as_boolean()) {
    value.kind = TomlValue::Kind::kBoolean;
    value.boolean = boolean->get();
  } else {
    value.kind = TomlValue::Kind::kDate;
    if (const auto* date = node.as_date()) value.text = DateText(date->get());
    if (const auto* time = node.as_time()) value.text = DateText(time->get());
    if (const auto* date_time = node.as_date_time()) value.text = DateText(date_time->get());
  }
  return value;
}

}  // namespace

const TomlValue* TomlValue::Find(std::string_view key) const {
  for (const TomlEntry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

TomlValue* TomlValue::Find(std::string_view key) {
  return const_cast<TomlValue*>(std::as_const(*this).Find(key));
}

std::string_view TomlKindName(TomlValue::Kind kind) {
  switch (kind) {
    case TomlValue::Kind::kString:
      return "a string";
    case TomlValue::Kind::kInteger:
      return "an integer";
    case TomlValue::Kind::kFloat:
      return "a number";
    case TomlValue::Kind::kBoolean:
      return "true or false";
    case TomlValue::Kind::kDate:
      return "a date or time";
    case TomlValue::Kind::kArray:
      return "an array";
    case TomlValue::Kind::kTable:
      return "a table";
  }
  return "";
}

namespace {

std::string HintFor(std::string_view text, std::string_view description) {
  if (text.find('\0') != text.npos || description.find("utf-8") != description.npos) {
    return "save the file as UTF-8 text";
  }
  if (description.find("could not determine value type") != description.npos) {
    return "texts need quotes: key = \"value\"";
  }
  return "";
}

// Behind the string that begins at `at`, or the end.
std::size_t SkipString(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string three(3, quote);
  const bool many = text.substr(at).starts_with(three);
  for (at += many ? 3 : 1; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (!many && text[at] == '\n') {
      return at;
    } else if (many ? text.substr(at).starts_with(three) : text[at] == quote) {
      at += many ? 3 : 1;
      // Two quotes may stand before the three that end it.
      for (int more = 0; many && more < 2 && at < text.size() && text[at] == quote; ++more) ++at;
      return at;
    }
  }
  return text.size();
}

// TOML has letters beyond ASCII in strings and comments alone. toml++ 3.3 takes some of them
// elsewhere for what cannot happen, and goes on with undefined behaviour. The first one; or npos.
std::size_t FindStrayLetter(std::string_view text) {
  for (std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0; at < text.size();) {
    if (text[at] == '"' || text[at] == '\'') {
      at = SkipString(text, at);
    } else if (text[at] == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (static_cast<unsigned char>(text[at]) >= 0x80) {
      return at;
    } else {
      ++at;
    }
  }
  return std::string_view::npos;
}

SourcePosition PositionAt(std::string_view text, std::size_t offset, const std::string& file) {
  SourcePosition where{file, 1, 1};
  for (char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++where.line;
      where.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++where.column;
    }
  }
  return where;
}

}  // namespace

std::variant<TomlValue, Problem> ParseToml(std::string_view text, std::string_view file) {
  const std::string name(file);
  const std::size_t stray = FindStrayLetter(text);
  if (stray != std::string_view::npos) {
    return Problem{PositionAt(text, stray, name),
                   "this is no valid TOML: only strings and comments have letters beyond ASCII",
                   "put quotes around it, and save the file as UTF-8 text"};
  }
  try {
    return Convert(toml::parse(text), name);
  } catch (const toml::parse_error& error) {
    return Problem{PositionOf(error.source(), name),
                   fmt::format("this is no valid TOML: {}", error.description()),
                   HintFor(text, error.description())};
  } catch (const BrokenAssumption&) {
    return Problem{{name, 0, 0}, "this is no valid TOML: a key is malformed", ""};
  }
}

std::string TomlQuote(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    switch (c) {
      case '"':
        quoted += "\\\"";
        break;
      case '\\':
        quoted += "\\\\";
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\t':
        quoted += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
        } else {
          quoted += c;
        }
    }
  }
  return quoted + '"';
}

std::string TomlKey(std::string_view key) {
  bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
  return bare ? std::string(key) : TomlQuote(key);
}

std::string TomlArray(const std::vector<std::string>& texts) {
  std::string array;
  for (const std::string& text : texts) array += (array.empty() ? "" : ", ") + TomlQuote(text);
  return "[" + array + "]";
}

}  // namespace imgbuild::specs
