// What the solver asks about packages. It knows neither Python nor Debian: packages are small
// numbers, versions positions in an order (version_set.h).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "builder/resolve/version_set.h"

namespace imgbuild::builder {

// Handed out by the provider, dense from 0: the solver keeps arrays by package.
using PackageId = std::uint32_t;

// `package` has to be chosen, at one of `versions`. An empty set is a dependency that nothing can
// satisfy, and is explained as such.
struct Need {
  PackageId package = 0;
  VersionSet versions;

  bool operator==(const Need&) const = default;
};

// What one version brings with it.
struct Dependencies {
  std::vector<Need> needs;
  // `package` must not be chosen at one of `versions`; other versions, or none, are fine. Excluding
  // the package that is asked about has no effect.
  std::vector<Need> excludes;
  // Versions of the package that are known to have exactly these needs and excludes, to which the
  // answer then applies at once (versions side by side, and the gaps around them); the version
  // asked about is always among them. Empty: that version alone.
  VersionSet applies_to;
};

// The version cannot be used: "needs Python >=3.12, but the image has 3.11.2". The clause is put
// after the version's name in explanations.
struct Unavailable {
  std::string because;
  VersionSet applies_to;  // as in Dependencies
};

using DependenciesAnswer = std::variant<Dependencies, Unavailable>;

// None of the allowed versions can be had. `because` is a clause after the set's description in
// explanations, such as "was not found in the index"; "" for the usual one.
struct NoVersion {
  std::string because;
};

using Choice = std::variant<Position, NoVersion>;

// Higher ones are decided first; among equal ones the package that a need named first.
struct DecisionPriority {
  std::int64_t major = 0;
  std::int64_t minor = 0;

  auto operator<=>(const DecisionPriority&) const = default;
};

// How much trouble a package was so far.
struct ConflictCounts {
  std::uint32_t affected = 0;  // its chosen version had to go, or all its versions were ruled out
  std::uint32_t culprit = 0;   // decided before, and what made another package impossible
};

// What is decided and derived at this moment.
class PartialSolutionView {
 public:
  virtual ~PartialSolutionView() = default;
  // The version decided for the package.
  virtual std::optional<Position> Decided(PackageId package) const = 0;
  // The versions it can still have, where something decided needs the package (a single one once
  // it is decided); null where nothing does. Valid until the hook returns.
  virtual const VersionSet* Allowed(PackageId package) const = 0;
  // Whether the package could still be chosen at one of `versions`.
  virtual bool Possible(PackageId package, const VersionSet& versions) const = 0;
};

// Choose and Prioritize are never asked for the root. The solver is deterministic if the answers
// are. Errors thrown here leave Solve unchanged: that is also how a caller cancels a search that
// takes too long.
class Provider {
 public:
  virtual ~Provider() = default;

  // The version to try, out of `allowed`, or NoVersion. Called for the package with the highest
  // priority among those needed and not decided.
  virtual Choice Choose(PackageId package, const VersionSet& allowed,
                        const PartialSolutionView& partial) = 0;

  // Asked once for each version that Choose returned, whatever happens afterwards.
  virtual DependenciesAnswer DependenciesOf(PackageId package, Position version) = 0;

  // Asked when a package becomes needed, when its allowed versions change and when its counts do;
  // kept in between: what it takes from the state of other packages may be out of date when used.
  virtual DecisionPriority Prioritize(PackageId package, const VersionSet& allowed,
                                      const ConflictCounts& counts,
                                      const PartialSolutionView& partial) = 0;
};

}  // namespace imgbuild::builder
