#include "specs/python/python_text.h"

namespace imgbuild::specs {
namespace {

// The white space beyond ASCII (Unicode, White_Space and bidirectional types WS, B, S).
constexpr std::string_view kWideSpaces[] = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81",
    "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86",
    "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
    "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

}  // namespace

std::size_t PythonSpaceLength(std::string_view text) {
  if (text.empty()) return 0;
  unsigned char first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) {
    return first == ' ' || (first >= 0x09 && first <= 0x0D) || (first >= 0x1C && first <= 0x1F);
  }
  for (std::string_view space : kWideSpaces) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

std::string_view StripPythonSpace(std::string_view text) {
  while (std::size_t length = PythonSpaceLength(text)) text.remove_prefix(length);
  for (bool stripped = true; stripped;) {
    stripped = false;
    for (std::size_t length = 1; length <= 3 && length <= text.size(); ++length) {
      if (PythonSpaceLength(text.substr(text.size() - length)) != length) continue;
      text.remove_suffix(length);
      stripped = true;
      break;
    }
  }
  return text;
}

}  // namespace imgbuild::specs
