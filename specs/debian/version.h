// Debian package versions (Debian Policy 5.6.12): parsing and their total order.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imgbuild::specs {

// [epoch:]upstream[-revision]. Equality is textual; two versions that differ in text may still
// compare as equivalent ("1.0" and "1.0-0", "0:1" and "1").
struct DebianVersion {
  std::uint32_t epoch = 0;
  std::string upstream;
  std::string revision;  // "" and "0" are equivalent

  bool operator==(const DebianVersion&) const = default;

  // nullopt where the text breaks the policy: empty, an upstream part that begins with no digit, a
  // character that is not allowed, an epoch that is no number. White space around it is ignored.
  static std::optional<DebianVersion> Parse(std::string_view text);
  // Parse(Render()) gives the same value back; an epoch of 0 is not written.
  std::string Render() const;
};

// The order of Policy 5.6.12, as dpkg applies it, on the texts themselves; total on any text, so
// that untrusted versions can be sorted. Allocates nothing.
std::weak_ordering CompareDebianVersions(std::string_view a, std::string_view b);

// How a versioned relation compares (Policy 7.1).
enum class VersionOp : std::uint8_t {
  kAny,           // no version given
  kLess,          // <<
  kLessEqual,     // <=
  kEqual,         // =
  kGreaterEqual,  // >=
  kGreater,       // >>
};

// "<<", "<=", "=", ">=", ">>"; "" for kAny.
std::string_view VersionOpText(VersionOp op);

// `version` OP `bound`. kAny is always true.
bool SatisfiesVersion(std::string_view version, VersionOp op, std::string_view bound);

}  // namespace imgbuild::specs
