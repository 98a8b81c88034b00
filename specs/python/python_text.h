// White space as Python's str.strip() and "\s" see it, in UTF-8.
#pragma once

#include <cstddef>
#include <string_view>

namespace imgbuild::specs {

// Length in bytes of the white-space character that `text` begins with; 0 if it is none.
std::size_t PythonSpaceLength(std::string_view text);

// Without Python's white space at either end.
std::string_view StripPythonSpace(std::string_view text);

inline bool IsAsciiDigit(char c) { return c >= '0' && c <= '9'; }
inline bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool IsAsciiAlnum(char c) { return IsAsciiDigit(c) || IsAsciiLetter(c); }

}  // namespace imgbuild::specs
