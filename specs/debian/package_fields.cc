#include "specs/debian/package_fields.h"

#include <array>

namespace imgbuild::specs {
namespace {

constexpr std::array<std::string_view, 5> kPriorities = {"required", "important", "standard",
                                                         "optional", "extra"};
constexpr std::array<std::string_view, 4> kMultiArch = {"no", "same", "foreign", "allowed"};

template <typename Enum, std::size_t N>
std::optional<Enum> Find(const std::array<std::string_view, N>& names, std::string_view text) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::optional<DebianPriority> ParsePriority(std::string_view text) {
  return Find<DebianPriority>(kPriorities, text);
}

std::string_view PriorityName(DebianPriority priority) {
  return kPriorities[static_cast<std::size_t>(priority)];
}

std::optional<MultiArch> ParseMultiArch(std::string_view text) {
  return Find<MultiArch>(kMultiArch, text);
}

std::string_view MultiArchName(MultiArch multi_arch) {
  return kMultiArch[static_cast<std::size_t>(multi_arch)];
}

}  // namespace imgbuild::specs
