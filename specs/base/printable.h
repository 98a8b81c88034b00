// Text of strangers, for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace imgbuild::specs {

// With "?" for each control character, so that a terminal only shows it: those of ASCII, but for
// tab and newline, and C1's in UTF-8.
std::string Printable(std::string_view text);

}  // namespace imgbuild::specs
