// The syntax of relationship fields (Debian Policy 7.1) as a stream of views into the text: what
// reads half a million relations allocates nothing for them.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "specs/debian/version.h"

namespace imgbuild::specs {

// Views into the scanned field.
struct ScannedRelation {
  std::string_view name;
  std::string_view qualifier;
  VersionOp op = VersionOp::kAny;
  std::string_view version;
  std::string_view architectures;  // what stands between [ and ], "" where there is none
  std::string_view profiles;       // "<...> <...>" with brackets, "" where there is none
  bool ends_group = false;         // the last alternative of its group
};

class RelationScanner {
 public:
  // Borrows `field`.
  explicit RelationScanner(std::string_view field) : field_(field) {}

  // The next alternative, nullopt at the end. Throws Error, with the place, where the field breaks
  // the syntax.
  std::optional<ScannedRelation> Next();

 private:
  void SkipSpace();
  bool AtEnd() const { return at_ >= field_.size(); }
  char Peek() const { return field_[at_]; }
  void ScanVersion(ScannedRelation& relation);
  std::string_view ScanName(std::string_view expected);
  std::string_view ScanBracketed(char open, char close);
  void ScanProfiles(ScannedRelation& relation);
  void ScanSeparator(ScannedRelation& relation);
  [[noreturn]] void Fail(std::string_view expected) const;

  std::string_view field_;
  std::size_t at_ = 0;
};

}  // namespace imgbuild::specs
