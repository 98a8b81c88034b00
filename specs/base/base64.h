// Base64 (RFC 4648, section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace imgbuild::specs {

std::string Base64Encode(std::string_view bytes);

// Padding may be missing, as some writers of credentials leave it out; nullopt on anything else
// that is not base64.
std::optional<std::string> Base64Decode(std::string_view text);

}  // namespace imgbuild::specs
