// Why there is no solution: the steps from facts about packages to the contradiction.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "builder/resolve/provider.h"
#include "builder/resolve/term.h"

namespace imgbuild::builder {

// Facts that need no further reason.
struct RootFact {
  PackageId package = 0;
};
struct NoVersionFact {
  Need without;         // nothing to be had among these
  std::string because;  // clause of the provider; may be empty
};
struct UnavailableFact {
  Need which;
  std::string because;
};
struct NeedFact {
  Need dependent;
  Need needed;
};
struct ExcludeFact {
  Need dependent;
  Need excluded;
};
// Follows from two other steps.
struct Derived {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
};

struct DerivationStep {
  // Not all of these hold in any solution; ordered by package.
  std::vector<PackageTerm> terms;
  std::variant<RootFact, NoVersionFact, UnavailableFact, NeedFact, ExcludeFact, Derived> reason;
};

// Steps refer to earlier ones only; the last one is the contradiction.
struct Derivation {
  PackageId root = 0;
  std::vector<DerivationStep> steps;
};

}  // namespace imgbuild::builder
