// Finds one version for every package that a root needs, or explains why there is none (PubGrub;
// the essay is in solver.cc).
#pragma once

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "builder/resolve/derivation.h"
#include "builder/resolve/provider.h"

namespace imgbuild::builder {

struct SolveStatistics {
  std::uint64_t decisions = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t incompatibilities = 0;
};

struct Solution {
  // Every package that was chosen, the root first, in the order of the last decisions. All of them
  // are needed by something in the list.
  std::vector<std::pair<PackageId, Position>> chosen;
  SolveStatistics statistics;
};

struct NoSolution {
  Derivation derivation;
  SolveStatistics statistics;
};

// After that many conflicts between two packages the later one is decided before the earlier one,
// if the provider's Prioritize makes use of the counts.
inline constexpr std::uint32_t kConflictsBeforeReprioritising = 5;

// Solves for `root` at `version`, whose needs are the requirements. Deterministic. Throws only what
// the provider throws.
std::variant<Solution, NoSolution> Solve(Provider& provider, PackageId root, Position version);

}  // namespace imgbuild::builder
