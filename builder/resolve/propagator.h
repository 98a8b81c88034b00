// Unit propagation and conflict resolution: the part of PubGrub that only looks at what is known.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "builder/resolve/incompatibility.h"
#include "builder/resolve/partial_solution.h"

namespace imgbuild::builder {

class Propagator {
 public:
  using Level = PartialSolution::Level;

  // A conflict that was resolved: what was learned from it, and the package it then moved.
  struct Conflict {
    PackageId affected = 0;
    IncompatibilityId learned = 0;
  };
  struct Outcome {
    std::vector<Conflict> conflicts;
    // Set where there is no solution at all: the incompatibility that says so.
    std::optional<IncompatibilityId> impossible;
  };

  explicit Propagator(PackageId root) : root_(root) {}

  // Makes the incompatibility known; needs of the same package with the same answer are merged into
  // one. Returns the one that now holds.
  IncompatibilityId Add(IncompatibilityId id);

  // Derives all that follows from changes of `package`.
  Outcome Propagate(PackageId package);

  // Undoes every assignment after `level`.
  void BacktrackTo(Level level);

  // Packages whose term changed since the last call, each at least once.
  std::vector<PackageId> TakeChanged();

  IncompatibilityStore store;
  PartialSolution partial;

 private:
  std::optional<IncompatibilityId> Visit(PackageId package, std::vector<PackageId>& open);
  void Derive(PackageId package, IncompatibilityId id);
  // The learned incompatibility and the package it moves; nullopt where nothing is left to move,
  // and then `id` is the reason why.
  std::optional<Conflict> ResolveConflict(IncompatibilityId& id);
  bool SaysImpossible(const Incompatibility& incompatibility) const;
  void MarkContradicted(IncompatibilityId id);
  void Forget(PackageId package, IncompatibilityId id);
  std::optional<IncompatibilityId> MergeNeed(IncompatibilityId id);

  static constexpr Level kNotContradicted = ~Level{0};

  PackageId root_;
  std::vector<std::vector<IncompatibilityId>> of_package_;
  std::vector<Level> contradicted_;  // by incompatibility: the level at which it became so
  std::vector<IncompatibilityId> contradicted_trail_;
  // Needs by (dependent, needed), for merging.
  std::unordered_map<std::uint64_t, std::vector<IncompatibilityId>> needs_;
  std::vector<PackageId> changed_;
};

}  // namespace imgbuild::builder
