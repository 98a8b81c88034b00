// Versions of Python distributions (PEP 440 "Version scheme").
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::specs {

// A version taken apart. Numbers are decimal text without leading zeros, since the standard does
// not bound them.
struct VersionParts {
  std::string epoch = "0";
  std::vector<std::string> release;  // at least one number, as written: "1.0" keeps its zero
  std::string pre_letter;            // "a", "b", "rc" or ""
  std::string pre_number;            // "" where pre_letter is
  std::optional<std::string> post;
  std::optional<std::string> dev;
  std::vector<std::string> local;  // lower case; all-digit segments are numbers

  bool operator==(const VersionParts&) const = default;
};

// Kept as one byte string whose order is the order of versions: comparing is memcmp, and the usual
// "1.26.4" lies in the string object itself, so that copying allocates nothing. "1.0" == "1.0.0",
// though each renders as written.
class [[nodiscard]] Version {
 public:
  // "0".
  Version();
  // Any spelling the standard allows: "v1.0-ALPHA.1", "1!2.0.post3", "1.0-1", white space around.
  // nullopt on anything else, and for numbers above 4300 digits.
  static std::optional<Version> Parse(std::string_view text);
  // REQUIRES: parts as VersionParts describes them.
  static Version FromParts(const VersionParts& parts);

  // The normalised form: "1!2.0a1.post3.dev4+local.5". Parse(Render()) gives the same value back.
  std::string Render() const;
  VersionParts Parts() const;

  // A pre- or development release.
  bool is_prerelease() const { return prerelease_; }
  bool has_local() const { return local_; }
  // Without the local segment.
  Version Public() const;
  // The release number at `index`, 0 where there is none; larger than 64 bits is the maximum.
  std::uint64_t ReleaseNumber(std::size_t index) const;

  // The byte string that orders versions. Equal for equal versions, so fit for hashing.
  const std::string& key() const { return key_; }

  friend bool operator==(const Version& a, const Version& b) { return a.key_ == b.key_; }
  friend std::strong_ordering operator<=>(const Version& a, const Version& b) {
    return a.key_.compare(b.key_) <=> 0;
  }

 private:
  std::string key_;
  std::uint32_t trailing_zeros_ = 0;  // of the release, which the key leaves out
  bool prerelease_ = false;
  bool local_ = false;
};

}  // namespace imgbuild::specs

template <>
struct std::hash<imgbuild::specs::Version> {
  std::size_t operator()(const imgbuild::specs::Version& version) const noexcept {
    return std::hash<std::string>()(version.key());
  }
};
