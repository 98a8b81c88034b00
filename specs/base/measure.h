// Amounts as people write them: a whole number and a unit, with or without a space between.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace imgbuild::specs {

// "512 MB", "4GiB", "100B": bytes. Nullopt for anything else.
std::optional<std::uint64_t> ParseSize(std::string_view text);

// "500ms", "30s", "2min" or "2m", "1h", "30d": milliseconds. Nullopt for anything else.
std::optional<std::uint64_t> ParseDuration(std::string_view text);

}  // namespace imgbuild::specs
