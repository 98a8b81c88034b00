#include "specs/base/measure.h"

#include <algorithm>
#include <span>

#include "specs/base/text.h"

namespace imgbuild::specs {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr Unit kDurations[] = {{"ms", 1},     {"s", 1000},      {"min", 60'000},
                               {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit kSizes[] = {{"B", 1},
                           {"kB", 1000},
                           {"KB", 1000},
                           {"MB", 1000'000},
                           {"GB", 1000'000'000},
                           {"KiB", 1ull << 10},
                           {"MiB", 1ull << 20},
                           {"GiB", 1ull << 30}};
constexpr std::uint64_t kMost = 1'000'000'000;  // times the largest factor it still fits

std::optional<std::uint64_t> Measure(std::string_view text, std::span<const Unit> units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<std::uint64_t> number = ParseUnsigned(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (Trim(text.substr(digits)) != unit.name) continue;
    if (unit.factor > 1 && *number > kMost) return std::nullopt;
    return *number * unit.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> ParseSize(std::string_view text) { return Measure(text, kSizes); }

std::optional<std::uint64_t> ParseDuration(std::string_view text) {
  return Measure(text, kDurations);
}

}  // namespace imgbuild::specs
