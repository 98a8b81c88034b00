#include "builder/resolve/partial_solution.h"

#include <algorithm>

namespace imgbuild::builder {
namespace {

const Term& AnyTerm() {
  static const Term any = Term::Any();
  return any;
}

}  // namespace

const PartialSolution::State* PartialSolution::Find(PackageId package) const {
  return package < states_.size() ? &states_[package] : nullptr;
}

PartialSolution::State& PartialSolution::Get(PackageId package) {
  if (package >= states_.size()) states_.resize(std::max<std::size_t>(package + 1, 64));
  return states_[package];
}

const Term& PartialSolution::TermOf(PackageId package) const {
  const State* state = Find(package);
  if (state == nullptr) return AnyTerm();
  if (state->decided) return state->decision;
  return state->derived.empty() ? AnyTerm() : state->derived.back().accumulated;
}

std::optional<Position> PartialSolution::Decided(PackageId package) const {
  const State* state = Find(package);
  return state == nullptr ? std::nullopt : state->decided;
}

const VersionSet* PartialSolution::Allowed(PackageId package) const {
  const Term& term = TermOf(package);
  return term.positive() ? &term.versions : nullptr;
}

bool PartialSolution::Possible(PackageId package, const VersionSet& versions) const {
  return !Term::Positive(versions).IsDisjointFrom(TermOf(package));
}

bool PartialSolution::NeedsDecision(PackageId package) const {
  const State* state = Find(package);
  return state != nullptr && !state->decided && TermOf(package).positive();
}

PartialSolution::Level PartialSolution::DecisionLevel(PackageId package) const {
  const State* state = Find(package);
  return state != nullptr && state->decided ? state->decision_level : 0;
}

PartialSolution::Related PartialSolution::Relate(const Incompatibility& incompatibility) const {
  Related related{Relation::kSatisfied, 0};
  for (const PackageTerm& wanted : incompatibility.terms) {
    const Term& held = TermOf(wanted.package);
    if (held.Implies(wanted.term)) continue;
    if (held.IsDisjointFrom(wanted.term)) return {Relation::kContradicted, wanted.package};
    if (related.relation == Relation::kSatisfied) {
      related = {Relation::kAlmost, wanted.package};
    } else {
      related.relation = Relation::kOpen;
    }
  }
  return related;
}

bool PartialSolution::WouldSatisfy(const Incompatibility& incompatibility, PackageId package,
                                   Position version) const {
  for (const PackageTerm& wanted : incompatibility.terms) {
    bool holds = wanted.package == package
                     ? wanted.term.versions.Contains(version) == wanted.term.positive()
                     : TermOf(wanted.package).Implies(wanted.term);
    if (!holds) return false;
  }
  return true;
}

void PartialSolution::Decide(PackageId package, Position version) {
  State& state = Get(package);
  ++level_;
  state.decided = version;
  state.decision = Term::Positive(VersionSet::Only(version));
  state.decision_index = static_cast<std::uint32_t>(trail_.size());
  state.decision_level = level_;
  trail_.push_back({package, level_, true});
}

void PartialSolution::Derive(PackageId package, const Term& incompatible, IncompatibilityId cause) {
  State& state = Get(package);
  Term accumulated = TermOf(package).Intersect(incompatible.Negate());
  state.derived.push_back(
      {static_cast<std::uint32_t>(trail_.size()), level_, cause, std::move(accumulated)});
  trail_.push_back({package, level_, false});
}

std::vector<PackageId> PartialSolution::BacktrackTo(Level level) {
  std::vector<PackageId> changed;
  while (!trail_.empty() && trail_.back().level > level) {
    State& state = states_[trail_.back().package];
    if (trail_.back().decision) {
      state.decided.reset();
    } else {
      state.derived.pop_back();
    }
    changed.push_back(trail_.back().package);
    trail_.pop_back();
  }
  level_ = level;
  return changed;
}

// The first assignment of the package with which, together with `extra`, `wanted` holds.
PartialSolution::Place PartialSolution::FirstImplying(const State& state, const Term& extra,
                                                      const Term& wanted) {
  if (extra.Implies(wanted)) return {};
  auto found = std::partition_point(state.derived.begin(), state.derived.end(),
                                    [&extra, &wanted](const Derived& derived) {
                                      return !derived.accumulated.Intersect(extra).Implies(wanted);
                                    });
  if (found != state.derived.end()) return {found->index, found->level, found->cause};
  return {state.decision_index, state.decision_level, std::nullopt};
}

PartialSolution::Satisfier PartialSolution::FindSatisfier(const Incompatibility& incompatibility,
                                                          const IncompatibilityStore& store) const {
  Satisfier satisfier;
  Place last;
  const Term* last_term = nullptr;
  Level others = 0;  // the highest level among all but the last
  for (const PackageTerm& wanted : incompatibility.terms) {
    Place place = FirstImplying(states_[wanted.package], Term::Any(), wanted.term);
    if (last_term == nullptr || place.index > last.index) {
      if (last_term != nullptr) others = std::max(others, last.level);
      last = place;
      last_term = &wanted.term;
      satisfier.package = wanted.package;
    } else {
      others = std::max(others, place.level);
    }
  }
  satisfier.cause = last.cause;
  satisfier.level = last.level;
  // The satisfier alone may not be enough for its package's term: then earlier assignments of the
  // same package count too.
  const State& state = states_[satisfier.package];
  Term own = last.cause ? store[*last.cause].TermOf(satisfier.package)->Negate() : state.decision;
  Place earlier = FirstImplying(state, own, *last_term);
  satisfier.previous_level = std::max({others, earlier.level, Level{1}});
  return satisfier;
}

std::vector<std::pair<PackageId, Position>> PartialSolution::Decisions() const {
  std::vector<std::pair<PackageId, Position>> decisions;
  for (const Assignment& assignment : trail_) {
    if (assignment.decision) {
      decisions.emplace_back(assignment.package, *states_[assignment.package].decided);
    }
  }
  return decisions;
}

}  // namespace imgbuild::builder
