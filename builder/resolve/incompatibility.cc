#include "builder/resolve/incompatibility.h"

#include <algorithm>
#include <map>

namespace imgbuild::builder {
namespace {

// The merge of two ordered lists; terms of the same package are intersected. `skip` is left out.
std::vector<PackageTerm> MergeTerms(const std::vector<PackageTerm>& a,
                                    const std::vector<PackageTerm>& b, PackageId skip) {
  std::vector<PackageTerm> merged;
  merged.reserve(a.size() + b.size());
  auto i = a.begin();
  auto j = b.begin();
  while (i != a.end() || j != b.end()) {
    if (j == b.end() || (i != a.end() && i->package < j->package)) {
      merged.push_back(*i++);
    } else if (i == a.end() || j->package < i->package) {
      merged.push_back(*j++);
    } else {
      merged.push_back({i->package, i->term.Intersect(j->term)});
      ++i;
      ++j;
    }
    if (merged.back().package == skip) merged.pop_back();
  }
  return merged;
}

std::vector<PackageTerm> TwoTerms(PackageTerm a, PackageTerm b) {
  std::vector<PackageTerm> terms;
  terms.reserve(2);
  if (b.package < a.package) std::swap(a, b);
  if (!a.term.IsAny()) terms.push_back(std::move(a));
  if (!b.term.IsAny()) terms.push_back(std::move(b));
  return terms;
}

Need NeedIn(const Incompatibility& incompatibility, PackageId package) {
  const Term* term = incompatibility.TermOf(package);
  return {package, term == nullptr ? VersionSet() : term->versions};
}

DerivationStep StepOf(const Incompatibility& from, const std::map<IncompatibilityId, int>& place) {
  DerivationStep step;
  step.terms = from.terms;
  switch (from.kind) {
    case Incompatibility::Kind::kRoot:
      step.reason = RootFact{from.first};
      break;
    case Incompatibility::Kind::kNoVersion:
      step.reason = NoVersionFact{NeedIn(from, from.first), from.because};
      break;
    case Incompatibility::Kind::kUnavailable:
      step.reason = UnavailableFact{NeedIn(from, from.first), from.because};
      break;
    case Incompatibility::Kind::kNeed:
      step.reason = NeedFact{NeedIn(from, from.first), NeedIn(from, from.second)};
      break;
    case Incompatibility::Kind::kExclude:
      step.reason = ExcludeFact{NeedIn(from, from.first), NeedIn(from, from.second)};
      break;
    case Incompatibility::Kind::kDerived:
      step.reason = Derived{static_cast<std::uint32_t>(place.at(from.first)),
                            static_cast<std::uint32_t>(place.at(from.second))};
      break;
  }
  return step;
}

}  // namespace

const Term* Incompatibility::TermOf(PackageId package) const {
  for (const PackageTerm& term : terms) {
    if (term.package == package) return &term.term;
  }
  return nullptr;
}

IncompatibilityId IncompatibilityStore::Add(Incompatibility incompatibility) {
  all_.push_back(std::move(incompatibility));
  return static_cast<IncompatibilityId>(all_.size() - 1);
}

IncompatibilityId IncompatibilityStore::Root(PackageId root, Position version) {
  return Add({{{root, Term::Negative(VersionSet::Only(version))}},
              Incompatibility::Kind::kRoot,
              root,
              root,
              ""});
}

IncompatibilityId IncompatibilityStore::NoVersions(PackageId package, VersionSet allowed,
                                                   std::string because) {
  return Add({{{package, Term::Positive(std::move(allowed))}},
              Incompatibility::Kind::kNoVersion,
              package,
              package,
              std::move(because)});
}

IncompatibilityId IncompatibilityStore::Unavailable(PackageId package, VersionSet versions,
                                                    std::string because) {
  return Add({{{package, Term::Positive(std::move(versions))}},
              Incompatibility::Kind::kUnavailable,
              package,
              package,
              std::move(because)});
}

IncompatibilityId IncompatibilityStore::NeedOf(const Need& dependent, const Need& needed) {
  return Add({TwoTerms({dependent.package, Term::Positive(dependent.versions)},
                       {needed.package, Term::Negative(needed.versions)}),
              Incompatibility::Kind::kNeed, dependent.package, needed.package, ""});
}

IncompatibilityId IncompatibilityStore::ExcludeOf(const Need& dependent, const Need& excluded) {
  return Add({TwoTerms({dependent.package, Term::Positive(dependent.versions)},
                       {excluded.package, Term::Positive(excluded.versions)}),
              Incompatibility::Kind::kExclude, dependent.package, excluded.package, ""});
}

IncompatibilityId IncompatibilityStore::Resolve(IncompatibilityId a, IncompatibilityId b,
                                                PackageId package) {
  Incompatibility result;
  result.terms = MergeTerms(all_[a].terms, all_[b].terms, package);
  Term both = all_[a].TermOf(package)->Union(*all_[b].TermOf(package));
  if (!both.IsAny()) {
    auto place = std::lower_bound(
        result.terms.begin(), result.terms.end(), package,
        [](const PackageTerm& term, PackageId wanted) { return term.package < wanted; });
    result.terms.insert(place, {package, std::move(both)});
  }
  result.first = a;
  result.second = b;
  return Add(std::move(result));
}

Derivation IncompatibilityStore::Derive(PackageId root, IncompatibilityId conclusion) const {
  std::map<IncompatibilityId, int> place;
  std::vector<IncompatibilityId> open = {conclusion};
  while (!open.empty()) {
    IncompatibilityId id = open.back();
    open.pop_back();
    if (!place.emplace(id, 0).second) continue;
    if (all_[id].kind != Incompatibility::Kind::kDerived) continue;
    open.push_back(all_[id].first);
    open.push_back(all_[id].second);
  }
  Derivation derivation;
  derivation.root = root;
  for (auto& [id, at] : place) {
    at = static_cast<int>(derivation.steps.size());
    derivation.steps.push_back(StepOf(all_[id], place));
  }
  return derivation;
}

}  // namespace imgbuild::builder
