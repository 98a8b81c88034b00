// The grammar of PEP 440 versions (Appendix B), matched at the front of a text.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace imgbuild::specs {

// Pieces of the scanned text, which they borrow.
struct VersionScan {
  std::string_view epoch;    // digits, or ""
  std::string_view release;  // "1.2.3"
  char pre = 0;              // 'a', 'b', 'c' (rc), or 0
  std::string_view pre_number;
  std::optional<std::string_view> post;  // the digits, which may be ""
  std::optional<std::string_view> dev;
  std::string_view local;  // as written, without "+"
  std::size_t length = 0;  // bytes that belong to the version
};

// How far a version may reach.
enum class VersionTail {
  kAll,          // everything
  kPublic,       // no "+local"
  kReleaseOnly,  // epoch and release
};

// The longest version at the front of `text` (no white space before it); nullopt if there is none.
std::optional<VersionScan> ScanVersion(std::string_view text, VersionTail tail);

}  // namespace imgbuild::specs
