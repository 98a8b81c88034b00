#include "builder/resolve/propagator.h"

#include <algorithm>

namespace imgbuild::builder {

void Propagator::Forget(PackageId package, IncompatibilityId id) {
  std::vector<IncompatibilityId>& list = of_package_[package];
  auto found = std::find(list.rbegin(), list.rend(), id);
  if (found != list.rend()) list.erase(std::next(found).base());
}

// Thousands of versions often need the same thing. One incompatibility says it for all of them, so
// that a conflict rules out all of them at once.
std::optional<IncompatibilityId> Propagator::MergeNeed(IncompatibilityId id) {
  const Incompatibility& added = store[id];
  if (added.kind != Incompatibility::Kind::kNeed || added.terms.size() != 2) return std::nullopt;
  PackageId dependent = added.first;
  PackageId needed = added.second;
  const VersionSet& answer = added.TermOf(needed)->versions;
  auto& known = needs_[std::uint64_t{dependent} << 32 | needed];
  for (IncompatibilityId& other : known) {
    if (store[other].TermOf(needed)->versions != answer) continue;
    VersionSet both =
        store[other].TermOf(dependent)->versions.Union(added.TermOf(dependent)->versions);
    IncompatibilityId merged = store.NeedOf({dependent, std::move(both)}, {needed, answer});
    Forget(dependent, other);
    Forget(needed, other);
    other = merged;
    return merged;
  }
  known.push_back(id);
  return std::nullopt;
}

IncompatibilityId Propagator::Add(IncompatibilityId id) {
  id = MergeNeed(id).value_or(id);
  for (const PackageTerm& term : store[id].terms) {
    if (term.package >= of_package_.size()) {
      of_package_.resize(std::max<std::size_t>(term.package + 1, of_package_.size() * 2));
    }
    of_package_[term.package].push_back(id);
  }
  return id;
}

void Propagator::MarkContradicted(IncompatibilityId id) {
  if (id >= contradicted_.size()) {
    contradicted_.resize(std::max<std::size_t>(id + 1, contradicted_.size() * 2), kNotContradicted);
  }
  contradicted_[id] = partial.level();
  contradicted_trail_.push_back(id);
}

void Propagator::Derive(PackageId package, IncompatibilityId id) {
  partial.Derive(package, *store[id].TermOf(package), id);
  changed_.push_back(package);
  MarkContradicted(id);
}

// Looks at all that is known about `package`; packages that change are added to `open`. Returns the
// incompatibility that turned out to hold, if there is one.
std::optional<IncompatibilityId> Propagator::Visit(PackageId package,
                                                   std::vector<PackageId>& open) {
  if (package >= of_package_.size()) return std::nullopt;
  const std::vector<IncompatibilityId>& list = of_package_[package];
  for (auto at = list.rbegin(); at != list.rend(); ++at) {
    IncompatibilityId id = *at;
    if (id < contradicted_.size() && contradicted_[id] != kNotContradicted) continue;
    PartialSolution::Related related = partial.Relate(store[id]);
    switch (related.relation) {
      case PartialSolution::Relation::kSatisfied:
        return id;
      case PartialSolution::Relation::kAlmost:
        Derive(related.package, id);
        if (std::find(open.begin(), open.end(), related.package) == open.end()) {
          open.push_back(related.package);
        }
        break;
      case PartialSolution::Relation::kContradicted:
        MarkContradicted(id);
        break;
      case PartialSolution::Relation::kOpen:
        break;
    }
  }
  return std::nullopt;
}

Propagator::Outcome Propagator::Propagate(PackageId package) {
  Outcome outcome;
  std::vector<PackageId> open = {package};
  while (!open.empty()) {
    PackageId current = open.back();
    open.pop_back();
    std::optional<IncompatibilityId> satisfied = Visit(current, open);
    if (!satisfied) continue;
    std::optional<Conflict> conflict = ResolveConflict(*satisfied);
    if (!conflict) {
      outcome.impossible = *satisfied;
      return outcome;
    }
    outcome.conflicts.push_back(*conflict);
    Derive(conflict->affected, conflict->learned);
    open = {conflict->affected};
  }
  return outcome;
}

bool Propagator::SaysImpossible(const Incompatibility& incompatibility) const {
  if (incompatibility.terms.empty()) return true;
  return incompatibility.terms.size() == 1 && incompatibility.terms[0].package == root_ &&
         incompatibility.terms[0].term.positive();
}

std::optional<Propagator::Conflict> Propagator::ResolveConflict(IncompatibilityId& id) {
  bool learned = false;
  while (!SaysImpossible(store[id])) {
    PartialSolution::Satisfier satisfier = partial.FindSatisfier(store[id], store);
    if (satisfier.previous_level < satisfier.level || !satisfier.cause) {
      BacktrackTo(satisfier.previous_level);
      if (learned) id = Add(id);
      return Conflict{satisfier.package, id};
    }
    id = store.Resolve(id, *satisfier.cause, satisfier.package);
    learned = true;
  }
  return std::nullopt;
}

void Propagator::BacktrackTo(Level level) {
  std::vector<PackageId> undone = partial.BacktrackTo(level);
  changed_.insert(changed_.end(), undone.begin(), undone.end());
  while (!contradicted_trail_.empty() && contradicted_[contradicted_trail_.back()] > level) {
    contradicted_[contradicted_trail_.back()] = kNotContradicted;
    contradicted_trail_.pop_back();
  }
}

std::vector<PackageId> Propagator::TakeChanged() { return std::exchange(changed_, {}); }

}  // namespace imgbuild::builder
