// Packages added to the text of a spec and removed from it, by a program for its user: comments and
// layout stay, and nothing but the named lists changes, which is proved by reading the text again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::specs {

// system.packages, python.packages, or the packages of a [[python.layers]].
struct PackageList {
  enum class Kind { kSystem, kPython, kLayer } kind = Kind::kPython;
  std::string layer;

  bool operator==(const PackageList&) const = default;
  std::string Render() const;  // "python.packages", "layer \"web\""
};

struct PackageChange {
  PackageList list;
  std::string package;  // as it is written now, or was
  std::string before;   // what it replaced; or ""

  bool operator==(const PackageChange&) const = default;
};

struct EditedSpec {
  std::string text;
  std::vector<PackageChange> changes;  // none where all was as asked
};

// Each package at the end of the list. One whose name stands in a list of the same kind, [system]
// or [python], is replaced there instead. A list, section or layer that is not there is made; where
// the spec extends another, as an addition to that one's. Throws Error (kUsage) for what is no
// requirement, and where the text says it in a way that this does not understand. `file` names the
// text in messages.
EditedSpec AddPackages(std::string_view text, std::string_view file, const PackageList& list,
                       const std::vector<std::string>& packages);

// Without the packages of these names. `list` nullopt: from whichever list of [python] has them.
// Throws Error (kUsage) for one that is in none.
EditedSpec RemovePackages(std::string_view text, std::string_view file,
                          const std::optional<PackageList>& list,
                          const std::vector<std::string>& names);

}  // namespace imgbuild::specs
