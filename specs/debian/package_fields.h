// The closed vocabularies of package fields: Priority (Debian Policy 2.5), Multi-Arch
// (deb-control(5)).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace imgbuild::specs {

// From the most to the least important.
enum class DebianPriority : std::uint8_t { kRequired, kImportant, kStandard, kOptional, kExtra };

// nullopt for any other word.
std::optional<DebianPriority> ParsePriority(std::string_view text);
std::string_view PriorityName(DebianPriority priority);

enum class MultiArch : std::uint8_t { kNo, kSame, kForeign, kAllowed };

std::optional<MultiArch> ParseMultiArch(std::string_view text);
std::string_view MultiArchName(MultiArch multi_arch);

}  // namespace imgbuild::specs
