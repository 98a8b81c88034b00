#include "specs/env/array_text.h"

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/base/toml.h"

namespace imgbuild::specs {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

// Behind white space, newlines and comments.
std::size_t SkipBlank(std::string_view text, std::size_t at) {
  for (;;) {
    at = std::min(text.find_first_not_of(" \t\r\n", at), text.size());
    if (at == text.size() || text[at] != '#') return at;
    at = std::min(text.find('\n', at), text.size());
  }
}

// Behind a value of any kind: strings, and what stands between brackets.
std::optional<std::size_t> ScanValue(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      const auto end = ScanString(text, at);
      if (!end) return std::nullopt;
      at = *end;
      if (depth == 0) return at;
    } else if (c == '[' || c == '{') {
      ++depth;
      ++at;
    } else if (c == ']' || c == '}') {
      if (depth == 0) return at;
      ++at;
      if (--depth == 0) return at;
    } else if (c == '#' && depth > 0) {
      at = SkipBlank(text, at);
    } else if (depth == 0 && std::string_view(", \t\r\n#").find(c) != kNone) {
      return at;
    } else {
      ++at;
    }
  }
  return std::nullopt;
}

std::size_t LineBegin(std::string_view text, std::size_t at) {
  if (at == 0) return 0;
  const std::size_t newline = text.rfind('\n', at - 1);
  return newline == kNone ? 0 : newline + 1;
}

// Where the line ends, before "\n" or "\r\n".
std::size_t LineEnd(std::string_view text, std::size_t at) {
  const std::size_t newline = std::min(text.find('\n', at), text.size());
  return newline > at && newline < text.size() && text[newline - 1] == '\r' ? newline - 1 : newline;
}

std::string_view Newline(std::string_view text) {
  return text.find("\r\n") != kNone ? "\r\n" : "\n";
}

// Nothing, or a comment.
bool IsRestOfLine(std::string_view text) {
  text = Trim(text);
  return text.empty() || text.front() == '#';
}

std::string_view Indent(std::string_view text, std::size_t line) {
  return text.substr(line, std::min(text.find_first_not_of(" \t", line), text.size()) - line);
}

std::string Inserted(std::string_view text, std::size_t at, std::string_view more) {
  return fmt::format("{}{}{}", text.substr(0, at), more, text.substr(at));
}

std::string Erased(std::string_view text, std::size_t begin, std::size_t end) {
  return fmt::format("{}{}", text.substr(0, begin), text.substr(end));
}

std::string WithFirstItem(std::string_view text, const ArrayText& array, const std::string& item) {
  const std::string_view inside = text.substr(array.begin + 1, array.end - array.begin - 1);
  if (inside.find('\n') == kNone) {
    return fmt::format("{}{}{}", text.substr(0, array.begin + 1), item, text.substr(array.end));
  }
  const std::size_t line = LineBegin(text, array.end);
  return Inserted(text, line, fmt::format("{}  {},{}", Indent(text, line), item, Newline(text)));
}

}  // namespace

std::optional<std::size_t> OffsetOf(std::string_view text, const SourcePosition& where) {
  std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  for (int line = 1; line < where.line; ++line) {
    at = text.find('\n', at);
    if (at == kNone) return std::nullopt;
    ++at;
  }
  for (int column = 1; column < where.column; ++column) {
    if (at >= text.size() || text[at] == '\n') return std::nullopt;
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  }
  return where.line < 1 || at >= text.size() ? std::nullopt : std::optional(at);
}

std::optional<std::size_t> ScanString(std::string_view text, std::size_t offset) {
  if (offset >= text.size()) return std::nullopt;
  const char quote = text[offset];
  if (quote != '"' && quote != '\'') return std::nullopt;
  const std::string three(3, quote);
  const bool many = text.substr(offset).starts_with(three);
  std::size_t at = offset + (many ? 3 : 1);
  while (at < text.size()) {
    if (quote == '"' && text[at] == '\\') {
      at += 2;
    } else if (!many && text[at] == '\n') {
      return std::nullopt;
    } else if (many ? text.substr(at).starts_with(three) : text[at] == quote) {
      at += many ? 3 : 1;
      // Two quotes may stand before the three that end it.
      for (int more = 0; many && more < 2 && at < text.size() && text[at] == quote; ++more) ++at;
      return at;
    } else {
      ++at;
    }
  }
  return std::nullopt;
}

std::optional<ArrayText> ScanArray(std::string_view text, std::size_t offset) {
  if (offset >= text.size() || text[offset] != '[') return std::nullopt;
  ArrayText array{.begin = offset, .end = 0, .items = {}};
  for (std::size_t at = SkipBlank(text, offset + 1); at < text.size(); at = SkipBlank(text, at)) {
    if (text[at] == ']') {
      array.end = at;
      return array;
    }
    const auto end = ScanValue(text, at);
    if (!end || *end == at) return std::nullopt;
    array.items.push_back({.begin = at, .end = *end});
    at = SkipBlank(text, *end);
    if (at < text.size() && text[at] == ',') array.items.back().comma = at++;
  }
  return std::nullopt;
}

std::string WithItem(std::string_view text, const ArrayText& array, std::string_view value) {
  const std::string item = TomlQuote(value);
  if (array.items.empty()) return WithFirstItem(text, array, item);
  const ArrayItemText& last = array.items.back();
  const bool comma = last.comma != kNone;
  const std::size_t behind = comma ? last.comma + 1 : last.end;
  const std::string_view before = text.substr(array.begin, last.begin - array.begin);
  if (before.find('\n') == kNone) {
    return comma ? Inserted(text, behind, " " + item + ",") : Inserted(text, behind, ", " + item);
  }
  const std::size_t line_end = LineEnd(text, behind);
  const bool own_line = IsRestOfLine(text.substr(behind, line_end - behind));
  const std::size_t place = own_line ? line_end : behind;
  const std::string more = fmt::format(
      "{}{}{}{}", Newline(text), Indent(text, LineBegin(text, last.begin)), item, comma ? "," : "");
  const std::string longer = Inserted(text, place, more);
  return comma ? longer : Inserted(longer, last.end, ",");
}

std::string WithoutItem(std::string_view text, const ArrayText& array, std::size_t index) {
  const ArrayItemText& item = array.items[index];
  const bool last = index + 1 == array.items.size();
  const std::size_t behind = item.comma != kNone ? item.comma + 1 : item.end;
  const std::size_t line = LineBegin(text, item.begin);
  const std::size_t line_end = LineEnd(text, behind);
  const ArrayItemText* before = index > 0 ? &array.items[index - 1] : nullptr;
  if (line > array.begin && Trim(text.substr(line, item.begin - line)).empty() &&
      IsRestOfLine(text.substr(behind, line_end - behind))) {
    const std::size_t next = std::min(text.find('\n', line_end), text.size() - 1) + 1;
    const std::string shorter = Erased(text, line, next);
    const bool dangling = last && item.comma == kNone && before != nullptr;
    return dangling ? Erased(shorter, before->comma, before->comma + 1) : shorter;
  }
  if (!last) {
    const std::size_t next = array.items[index + 1].begin;
    const bool same_line = text.substr(behind, next - behind).find('\n') == kNone;
    return Erased(text, item.begin, same_line ? next : behind);
  }
  if (before == nullptr) return Erased(text, item.begin, behind);
  const bool same_line = text.substr(before->comma, item.begin - before->comma).find('\n') == kNone;
  return same_line ? Erased(text, before->comma, item.end) : Erased(text, item.begin, behind);
}

}  // namespace imgbuild::specs
