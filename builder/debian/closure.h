// The packages that a set of roots needs, with why each is there and an order to unpack them in
// (Debian Policy 7.2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "builder/debian/package_index.h"

namespace imgbuild::builder {

struct ClosurePackage {
  Package package;
  // Names of chosen packages that need this one by Depends or Pre-Depends, "spec" where it is a
  // root; sorted, each once.
  std::vector<std::string> required_by;
};

struct Closure {
  // Every package after those that it pre-depends on and, where no loop forbids it, after those
  // that it depends on; among equals by name. Names are unique.
  std::vector<ClosurePackage> packages;

  // Null where the package was not chosen.
  const ClosurePackage* Find(std::string_view name) const;
};

// A chosen package and what it was found to need, by index into the same list.
struct ClosureNode {
  Package package;
  std::vector<std::size_t> pre_depends;
  std::vector<std::size_t> depends;
};

// Keeps what the roots reach and puts it in order. Deterministic: the order of `nodes` and of
// `roots` does not matter.
Closure MakeClosure(const std::vector<ClosureNode>& nodes, const std::vector<std::size_t>& roots);

}  // namespace imgbuild::builder
