// The decisions and derivations made so far, in their order, and what they say about each package.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "builder/resolve/incompatibility.h"
#include "builder/resolve/provider.h"
#include "builder/resolve/term.h"

namespace imgbuild::builder {

class PartialSolution : public PartialSolutionView {
 public:
  using Level = std::uint32_t;  // number of decisions made before or at an assignment

  enum class Relation : std::uint8_t { kSatisfied, kAlmost, kContradicted, kOpen };
  struct Related {
    Relation relation = Relation::kOpen;
    // kAlmost: the one term that is not satisfied. kContradicted: one that makes it so.
    PackageId package = 0;
  };

  // The assignment that made an incompatibility hold, and how far back the search may jump.
  struct Satisfier {
    PackageId package = 0;
    std::optional<IncompatibilityId> cause;  // nullopt: a decision
    Level level = 0;
    Level previous_level = 0;  // at which all but this assignment held
  };

  std::optional<Position> Decided(PackageId package) const override;
  const VersionSet* Allowed(PackageId package) const override;
  bool Possible(PackageId package, const VersionSet& versions) const override;

  const Term& TermOf(PackageId package) const;
  bool NeedsDecision(PackageId package) const;

  Related Relate(const Incompatibility& incompatibility) const;
  // Whether it would hold if `package` were decided at `version` now.
  bool WouldSatisfy(const Incompatibility& incompatibility, PackageId package,
                    Position version) const;

  void Decide(PackageId package, Position version);
  // The negation of the incompatibility's term for the package, because all others hold.
  void Derive(PackageId package, const Term& incompatible, IncompatibilityId cause);
  // Forgets what came after `level`; returns the packages that changed, each at least once.
  std::vector<PackageId> BacktrackTo(Level level);

  // REQUIRES: the incompatibility is satisfied.
  Satisfier FindSatisfier(const Incompatibility& incompatibility,
                          const IncompatibilityStore& store) const;

  Level level() const { return level_; }
  // 0 where it is not decided.
  Level DecisionLevel(PackageId package) const;
  std::vector<std::pair<PackageId, Position>> Decisions() const;

 private:
  struct Derived {
    std::uint32_t index = 0;  // in the trail
    Level level = 0;
    IncompatibilityId cause = 0;
    Term accumulated;  // of this derivation and all earlier ones of the package
  };
  struct State {
    std::vector<Derived> derived;
    std::optional<Position> decided;
    Term decision;  // Positive(Only(*decided))
    std::uint32_t decision_index = 0;
    Level decision_level = 0;
  };
  struct Assignment {
    PackageId package = 0;
    Level level = 0;
    bool decision = false;
  };
  struct Place {
    std::uint32_t index = 0;
    Level level = 0;
    std::optional<IncompatibilityId> cause;
  };

  const State* Find(PackageId package) const;
  State& Get(PackageId package);
  static Place FirstImplying(const State& state, const Term& extra, const Term& wanted);

  std::vector<State> states_;
  std::vector<Assignment> trail_;
  Level level_ = 0;
};

}  // namespace imgbuild::builder
