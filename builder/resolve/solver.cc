// Which versions of which packages?
//
// Problem. A root needs packages, each version of a package needs further ones, some exclude each
// other; find one version for each package that is needed, preferring what the caller prefers, or
// say in words why that cannot be. It is NP-complete, real inputs are mostly easy, and both worlds
// that are solved here (Python's thousands of versions per package, learned one network request at
// a time, and Debian's ten thousand packages with one version each) have hard corners.
//
// Alternatives. A plain backtracking search (old pip) tries the same mistake again and again. A SAT
// solver wants the whole universe beforehand, which PyPI does not give, and explains nothing. A
// greedy walk as apt does it cannot go back. Minimising solvers (libsolv) choose other packages
// than the users' tools do.
//
// Choice. PubGrub (Weizenbaum 2018): clause learning over sets of versions. An *incompatibility* is
// a set of terms of which not all can hold: "a 1.0 needs b>=2" is {a 1.0, not b>=2}. The search
// alternates between
//   - propagation: where all terms but one of an incompatibility hold, the negation of that one
//     must (propagator.cc);
//   - decision: a version is chosen for the package that the provider gives the highest priority
//     (below). Its needs become incompatibilities the first time it is looked at.
// Where all terms of an incompatibility hold, there is a conflict: it is combined with the causes
// of what made it hold until a statement about earlier decisions remains. That statement is kept,
// the search jumps back to the decision that matters, and the mistake is never made again. When the
// statement is about the root alone, its causes are the explanation (explain.cc).
//
// A decision that would contradict its own needs at once is not made: the needs then rule the
// version out by themselves. Packages that keep getting into each other's way have their priority
// asked for anew, and what was decided about them is undone (CountConflicts), so that the one with
// few possibilities is decided before the one with many.
//
// Invariants. (1) Assignments are only appended and undone from the end; each knows its decision
// level. (2) No incompatibility is satisfied when a decision is made: so the decisions of a run
// without conflict are a solution. (3) Incompatibilities are never changed: merged ones are new.
// (4) Nothing depends on addresses, hashes' order or time: equal answers give equal solutions.
//
// Elsewhere: version_set and term (the algebra), incompatibility (statements and their causes),
// partial_solution (assignments, and which of them made a statement hold), propagator, explain.
#include "builder/resolve/solver.h"

#include <algorithm>
#include <queue>

#include "builder/resolve/propagator.h"

namespace imgbuild::builder {
namespace {

class Search {
 public:
  Search(Provider& provider, PackageId root, Position version)
      : provider_(provider), root_(root), version_(version), known_(root) {
    known_.Add(known_.store.Root(root, version));
  }

  std::variant<Solution, NoSolution> Run() {
    PackageId next = root_;
    while (true) {
      Propagator::Outcome outcome = known_.Propagate(next);
      if (outcome.impossible) {
        return NoSolution{known_.store.Derive(root_, *outcome.impossible), Statistics()};
      }
      for (const Propagator::Conflict& conflict : outcome.conflicts) {
        CountConflict(conflict.affected, conflict.learned);
      }
      Reprioritise();
      std::optional<PackageId> package = HighestPriority();
      if (!package) return Solution{known_.partial.Decisions(), Statistics()};
      next = *package;
      TryToDecide(next);
    }
  }

 private:
  struct Waiting {
    DecisionPriority priority;
    std::uint32_t seen = 0;
    PackageId package = 0;
    std::uint32_t stamp = 0;

    bool operator<(const Waiting& other) const {
      if (priority != other.priority) return priority < other.priority;
      return seen > other.seen;
    }
  };
  struct Facts {
    ConflictCounts counts;
    std::uint32_t stamp = 0;      // of the valid entry in the queue
    std::uint32_t seen = 0;       // when something first named it, from 1; 0: never
    std::vector<Position> asked;  // versions whose needs are known, ordered
  };

  Facts& FactsOf(PackageId package) {
    if (package >= facts_.size()) {
      facts_.resize(std::max<std::size_t>(package + 1, facts_.size() * 2));
    }
    return facts_[package];
  }

  void Enqueue(PackageId package) {
    Facts& facts = FactsOf(package);
    DecisionPriority priority;
    if (package != root_) {
      priority = provider_.Prioritize(package, *known_.partial.Allowed(package), facts.counts,
                                      known_.partial);
    }
    queue_.push({priority, facts.seen, package, ++facts.stamp});
  }

  std::optional<PackageId> HighestPriority() {
    std::vector<PackageId> changed = known_.TakeChanged();
    std::sort(changed.begin(), changed.end());
    changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
    for (PackageId package : changed) {
      if (known_.partial.NeedsDecision(package)) Enqueue(package);
    }
    while (!queue_.empty()) {
      Waiting top = queue_.top();
      queue_.pop();
      if (FactsOf(top.package).stamp == top.stamp && known_.partial.NeedsDecision(top.package)) {
        return top.package;
      }
    }
    return std::nullopt;
  }

  void TryToDecide(PackageId package) {
    VersionSet allowed = *known_.partial.Allowed(package);
    Choice choice = version_;
    if (package != root_) choice = provider_.Choose(package, allowed, known_.partial);
    if (auto* none = std::get_if<NoVersion>(&choice)) {
      known_.Add(known_.store.NoVersions(package, std::move(allowed), std::move(none->because)));
      return;
    }
    Position version = std::get<Position>(choice);
    std::vector<Position>& asked = FactsOf(package).asked;
    auto place = std::lower_bound(asked.begin(), asked.end(), version);
    bool known = place != asked.end() && *place == version;
    if (!known) asked.insert(place, version);
    ++decisions_;
    if (known || Learn(package, version)) {
      known_.partial.Decide(package, version);
    } else {
      // Still undecided: its entry left the queue, and propagation may leave its term as it is.
      Enqueue(package);
    }
  }

  // Asks for what the version needs; false where the version cannot be decided because of it.
  bool Learn(PackageId package, Position version) {
    DependenciesAnswer answer = provider_.DependenciesOf(package, version);
    VersionSet only = VersionSet::Only(version);
    if (auto* unavailable = std::get_if<Unavailable>(&answer)) {
      known_.Add(known_.store.Unavailable(package, unavailable->applies_to.Union(only),
                                          std::move(unavailable->because)));
      return false;
    }
    const Dependencies& dependencies = std::get<Dependencies>(answer);
    Need dependent{package, dependencies.applies_to.Union(only)};
    std::optional<IncompatibilityId> conflict;
    auto learn = [&](IncompatibilityId id) {
      id = known_.Add(id);
      if (known_.partial.WouldSatisfy(known_.store[id], package, version)) conflict = id;
    };
    for (const Need& need : dependencies.needs) {
      Facts& facts = FactsOf(need.package);
      if (facts.seen == 0) facts.seen = ++seen_;
      if (need.package == package) {
        // A version that needs another version of itself can never be had.
        VersionSet wrong = dependent.versions.Intersect(need.versions.Complement());
        if (!wrong.empty()) {
          learn(known_.store.Unavailable(package, std::move(wrong),
                                         "needs another version of itself"));
        }
        continue;
      }
      learn(known_.store.NeedOf(dependent, need));
    }
    for (const Need& exclude : dependencies.excludes) {
      if (exclude.package == package || exclude.versions.empty()) continue;
      learn(known_.store.ExcludeOf(dependent, exclude));
    }
    if (conflict) CountConflict(package, *conflict);
    return !conflict;
  }

  void CountConflict(PackageId affected, IncompatibilityId why) {
    ++conflicts_;
    bool others = false;
    for (const PackageTerm& term : known_.store[why].terms) {
      if (term.package == affected || term.package == root_) continue;
      others = true;
      if (++FactsOf(term.package).counts.culprit == kConflictsBeforeReprioritising) {
        reprioritise_.push_back(term.package);
      }
    }
    if (!others) return;
    if (++FactsOf(affected).counts.affected == kConflictsBeforeReprioritising) {
      reprioritise_.push_back(affected);
    }
  }

  void Reprioritise() {
    for (PackageId package : std::exchange(reprioritise_, {})) {
      PartialSolution::Level level = known_.partial.DecisionLevel(package);
      if (level > 1) known_.BacktrackTo(level - 1);
      if (known_.partial.NeedsDecision(package)) Enqueue(package);
    }
  }

  SolveStatistics Statistics() const { return {decisions_, conflicts_, known_.store.size()}; }

  Provider& provider_;
  PackageId root_;
  Position version_;
  Propagator known_;
  std::vector<Facts> facts_;
  std::priority_queue<Waiting> queue_;
  std::vector<PackageId> reprioritise_;
  std::uint32_t seen_ = 0;
  std::uint64_t decisions_ = 0;
  std::uint64_t conflicts_ = 0;
};

}  // namespace

std::variant<Solution, NoSolution> Solve(Provider& provider, PackageId root, Position version) {
  return Search(provider, root, version).Run();
}

}  // namespace imgbuild::builder
