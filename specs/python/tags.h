// Wheel file names (PEP 427 "File name convention") and compatibility tags (PEP 425, 600, 656).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "specs/oci/platform.h"
#include "specs/python/syntax_error.h"
#include "specs/python/version.h"

namespace imgbuild::specs {

// "numpy-2.1.0-1local-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl" taken apart.
struct WheelName {
  struct Build {
    std::uint64_t number = 0;  // saturated
    std::string rest;
    auto operator<=>(const Build&) const = default;
  };

  std::string name;  // normalised
  Version version;
  std::optional<Build> build;        // none sorts before any
  std::vector<std::string> pythons;  // {"cp311"}
  std::vector<std::string> abis;     // {"cp311"}
  std::vector<std::string> platforms;

  static std::variant<WheelName, SyntaxError> Parse(std::string_view file_name);
};

// Of "name-1.0.tar.gz" or "name-1.0.zip". The name of an sdist may hold "-", so that only the
// project's name (any spelling) tells where the version begins; nullopt if it is not one of its.
std::optional<Version> SdistVersion(std::string_view file_name, std::string_view project);

// The tags an interpreter accepts, best first: "cp311-cp311-manylinux_2_36_x86_64" before
// "cp311-abi3-..." before "py3-none-any".
class [[nodiscard]] TagList {
 public:
  struct Glibc {
    int major = 2;
    int minor = 36;  // bookworm 2.36, trixie 2.41
  };

  // CPython 3.`minor` on Linux with that glibc. REQUIRES: python_minor >= 2.
  static TagList ForCpython(int python_minor, const Platform& platform, Glibc glibc);
  // Any list, best first: "cp311-cp311-linux_x86_64".
  explicit TagList(std::vector<std::string> tags);

  // How well the wheel fits: 0 is best, nullopt does not fit at all.
  std::optional<std::size_t> Rank(const WheelName& wheel) const;
  const std::vector<std::string>& tags() const { return tags_; }

  // Why Rank is nullopt, for people: "needs Python cp312", "needs platform win_amd64".
  std::string Explain(const WheelName& wheel) const;

 private:
  std::vector<std::string> tags_;
  std::unordered_map<std::string, std::size_t> ranks_;
  // The tags' first, second and third parts, to leave most wheels out early.
  std::unordered_set<std::string> pythons_;
  std::unordered_set<std::string> abis_;
  std::unordered_set<std::string> platforms_;
};

}  // namespace imgbuild::specs
