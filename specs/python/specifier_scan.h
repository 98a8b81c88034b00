// The grammar of one version specifier, matched at the front of a text.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace imgbuild::specs {

// Length in bytes of the longest specifier at the front of `text` ("==1.0.*" of "==1.0.*; ..."),
// as the `packaging` library's tokenizer takes it; nullopt if there is none.
std::optional<std::size_t> ScanSpecifier(std::string_view text);

// The operator's characters at the front of `text`: "===", "~=", ...; "" if there is none.
std::string_view ScanOperator(std::string_view text);

}  // namespace imgbuild::specs
