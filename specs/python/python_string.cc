#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "specs/python/dependency_scanner.h"

namespace imgbuild::specs {
namespace {

void AppendUtf8(std::string& text, std::uint32_t code) {
  auto add = [&text](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      add(0xE0 | code >> 12);
    } else {
      add(0xF0 | code >> 18);
      add(0x80 | (code >> 12 & 0x3F));
    }
    add(0x80 | (code >> 6 & 0x3F));
  }
  add(0x80 | (code & 0x3F));
}

std::optional<std::uint32_t> TakeHex(std::string_view& rest, std::size_t digits) {
  if (rest.size() < digits) return std::nullopt;
  std::uint32_t code = 0;
  for (char c : rest.substr(0, digits)) {
    std::uint32_t value = c >= '0' && c <= '9'   ? static_cast<std::uint32_t>(c - '0')
                          : c >= 'a' && c <= 'f' ? static_cast<std::uint32_t>(c - 'a') + 10
                          : c >= 'A' && c <= 'F' ? static_cast<std::uint32_t>(c - 'A') + 10
                                                 : 16;
    if (value == 16) return std::nullopt;
    code = code << 4 | value;
  }
  rest.remove_prefix(digits);
  bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code > 0x10FFFF || surrogate) return std::nullopt;
  return code;
}

std::uint32_t TakeOctal(std::string_view& rest, char first) {
  std::uint32_t code = static_cast<std::uint32_t>(first - '0');
  for (int i = 0; i < 2 && !rest.empty() && rest[0] >= '0' && rest[0] <= '7'; ++i) {
    code = code << 3 | static_cast<std::uint32_t>(rest[0] - '0');
    rest.remove_prefix(1);
  }
  return code;
}

// One escape after its backslash; false where Python refuses it.
bool AppendEscape(std::string& text, std::string_view& rest) {
  static constexpr std::string_view kSimple = "\\'\"abfnrtv";
  static constexpr std::string_view kMeaning = "\\'\"\a\b\f\n\r\t\v";
  if (rest.empty()) return false;
  char c = rest.front();
  rest.remove_prefix(1);
  if (std::size_t i = kSimple.find(c); i != std::string_view::npos) {
    text += kMeaning[i];
    return true;
  }
  if (c >= '0' && c <= '7') {
    AppendUtf8(text, TakeOctal(rest, c));
    return true;
  }
  if (c == '\n') return true;
  if (c == '\r') {
    if (rest.starts_with('\n')) rest.remove_prefix(1);
    return true;
  }
  if (c == 'N') return false;
  if (c == 'x' || c == 'u' || c == 'U') {
    std::optional<std::uint32_t> code = TakeHex(rest, c == 'x' ? 2 : c == 'u' ? 4 : 8);
    if (code) AppendUtf8(text, *code);
    return code.has_value();
  }
  text += '\\';
  text += c;
  return true;
}

}  // namespace

std::optional<std::string> ResolvePythonEscapes(std::string_view body) {
  std::string text;
  while (!body.empty()) {
    char c = body.front();
    body.remove_prefix(1);
    if (c == '\n' || c == '\r' || c == '\0') return std::nullopt;
    if (c != '\\') {
      text += c;
    } else if (!AppendEscape(text, body)) {
      return std::nullopt;
    }
  }
  return text;
}

}  // namespace imgbuild::specs
