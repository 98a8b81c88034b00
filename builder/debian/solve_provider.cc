#include "builder/debian/solve_provider.h"

#include <algorithm>

#include <fmt/format.h>

namespace imgbuild::builder {
namespace {

// Whether "name:any" and the like may mean this package in an image of one architecture
// (deb-control(5), Multi-Arch). Qualifiers naming another architecture never do.
bool QualifierFits(std::string_view qualifier, const Package& package) {
  if (qualifier.empty() || qualifier == "native") return true;
  if (qualifier == "any") return package.multi_arch() == specs::MultiArch::kAllowed;
  return qualifier == package.architecture();
}

// Candidates that apt would not look at (older versions) come last; the order stays otherwise.
void NewestFirst(std::vector<Need>& needs) {
  std::stable_partition(needs.begin(), needs.end(),
                        [](const Need& need) { return need.versions.Contains(0); });
}

}  // namespace

std::string RenderAlternatives(const AlternativesView& alternatives) {
  std::string text;
  for (const RelationView& relation : alternatives) {
    if (!text.empty()) text += " | ";
    text += relation.Render();
  }
  return text;
}

DebianProvider::DebianProvider(const PackageIndex& index, const DebianSolveOptions& options)
    : index_(index), options_(options) {
  nodes_.push_back({Node::Kind::kRoot, "spec", {}, {}});
}

PackageId DebianProvider::RealId(std::string_view name) {
  auto [at, added] = real_ids_.try_emplace(std::string(name), 0);
  if (added) {
    at->second = static_cast<PackageId>(nodes_.size());
    nodes_.push_back({Node::Kind::kReal, at->first, index_.Candidates(name), {}});
  }
  return at->second;
}

PackageId DebianProvider::GroupId(const AlternativesView& alternatives, std::vector<Need> needs) {
  std::string text = RenderAlternatives(alternatives);
  auto [at, added] = group_ids_.try_emplace(text, 0);
  if (added) {
    at->second = static_cast<PackageId>(nodes_.size());
    nodes_.push_back({Node::Kind::kGroup, std::move(text), {}, std::move(needs)});
  }
  return at->second;
}

VersionSet DebianProvider::Satisfying(PackageId real, const RelationView& relation) const {
  std::vector<Position> positions;
  const std::vector<Package>& candidates = nodes_[real].candidates;
  for (Position i = 0; i < candidates.size(); ++i) {
    if (QualifierFits(relation.qualifier, candidates[i]) &&
        relation.SatisfiedBy(candidates[i].version())) {
      positions.push_back(i);
    }
  }
  return VersionSet::Of(std::move(positions));
}

// Packages that provide the name, best first.
std::vector<Need> DebianProvider::Providing(const RelationView& relation) {
  std::vector<Need> needs;
  for (const ProvidingPackage& provider : index_.Providers(relation.name)) {
    if (provider.package.name() == relation.name) continue;
    if (!QualifierFits(relation.qualifier, provider.package)) continue;
    bool versioned = relation.op != specs::VersionOp::kAny;
    if (versioned && (provider.version.empty() || !relation.SatisfiedBy(provider.version))) {
      continue;
    }
    PackageId real = RealId(provider.package.name());
    const std::vector<Package>& candidates = nodes_[real].candidates;
    auto place = std::find(candidates.begin(), candidates.end(), provider.package);
    if (place == candidates.end()) continue;
    VersionSet one = VersionSet::Only(static_cast<Position>(place - candidates.begin()));
    auto same = std::find_if(needs.begin(), needs.end(),
                             [real](const Need& need) { return need.package == real; });
    if (same == needs.end()) {
      needs.push_back({real, std::move(one)});
    } else {
      same->versions = same->versions.Union(one);
    }
  }
  std::stable_sort(needs.begin(), needs.end(), [this](const Need& a, const Need& b) {
    return nodes_[a.package].candidates[0].priority() < nodes_[b.package].candidates[0].priority();
  });
  return needs;
}

std::vector<Need> DebianProvider::Satisfying(const AlternativesView& alternatives) {
  std::vector<Need> needs;
  auto add = [&needs](Need need) {
    if (need.versions.empty()) return;
    bool known = std::any_of(needs.begin(), needs.end(), [&need](const Need& other) {
      return other.package == need.package && need.versions.IsSubsetOf(other.versions);
    });
    if (!known) needs.push_back(std::move(need));
  };
  for (const RelationView& relation : alternatives) {
    PackageId real = RealId(relation.name);
    add({real, Satisfying(real, relation)});
    for (Need& need : Providing(relation)) add(std::move(need));
  }
  NewestFirst(needs);
  return needs;
}

Need DebianProvider::NeedFor(const AlternativesView& alternatives) {
  std::vector<Need> needs = Satisfying(alternatives);
  if (needs.size() == 1) return needs[0];
  // A relation that nothing satisfies is a group too: it carries the text for the explanation.
  auto count = static_cast<Position>(std::max<std::size_t>(needs.size(), 1));
  return {GroupId(alternatives, std::move(needs)), VersionSet::Below(count)};
}

std::vector<Need> DebianProvider::NeedsOf(const Package& package, RelationKind kind) {
  std::vector<Need> needs;
  for (const AlternativesView& alternatives : package.Relations(kind)) {
    bool met = std::any_of(
        alternatives.begin(), alternatives.end(),
        [this](const RelationView& relation) { return options_.assumed.contains(relation.name); });
    if (!met) needs.push_back(NeedFor(alternatives));
  }
  return needs;
}

void DebianProvider::AddRoot(const RelationView& root) {
  PackageId real = RealId(root.name);
  VersionSet versions = Satisfying(real, root);
  root_needs_.push_back(versions.empty() ? NeedFor({root}) : Need{real, std::move(versions)});
}

void DebianProvider::AddExcludes(PackageId package, const std::vector<AlternativesView>& relations,
                                 std::vector<Need>& excludes) {
  for (const AlternativesView& alternatives : relations) {
    for (Need& need : Satisfying(alternatives)) {
      if (need.package != package) excludes.push_back(std::move(need));
    }
  }
}

DependenciesAnswer DebianProvider::DependenciesOf(PackageId package, Position version) {
  Dependencies dependencies;
  if (package == kRoot) {
    dependencies.needs = root_needs_;
    return dependencies;
  }
  if (!IsReal(package)) {
    dependencies.needs = {AlternativeAt(package, version)};
    return dependencies;
  }
  const Package candidate = CandidateAt(package, version);
  for (RelationKind kind : {RelationKind::kPreDepends, RelationKind::kDepends}) {
    for (Need& need : NeedsOf(candidate, kind)) dependencies.needs.push_back(std::move(need));
  }
  AddExcludes(package, candidate.Relations(RelationKind::kConflicts), dependencies.excludes);
  AddExcludes(package, candidate.Relations(RelationKind::kBreaks), dependencies.excludes);
  return dependencies;
}

Choice DebianProvider::ChooseVersion(const Node& node, const VersionSet& allowed) const {
  auto preferred = options_.preferences.find(node.text);
  if (preferred != options_.preferences.end()) {
    for (const std::string& version : preferred->second) {
      for (Position i = 0; i < node.candidates.size(); ++i) {
        if (allowed.Contains(i) && node.candidates[i].version() == version) return i;
      }
    }
  }
  for (Position i = 0; i < node.candidates.size(); ++i) {
    if (allowed.Contains(i)) return i;
  }
  return NoVersion{};
}

Choice DebianProvider::ChooseAlternative(const Node& node, const VersionSet& allowed,
                                         const PartialSolutionView& partial) const {
  std::optional<Position> locked;
  std::optional<Position> first;
  for (Position i = 0; i < node.alternatives.size(); ++i) {
    const Need& need = node.alternatives[i];
    if (!allowed.Contains(i)) continue;
    std::optional<Position> decided = partial.Decided(need.package);
    if (decided && need.versions.Contains(*decided)) return i;
    if (!partial.Possible(need.package, need.versions)) continue;
    if (!first) first = i;
    if (!locked && options_.known.contains(nodes_[need.package].text)) locked = i;
  }
  if (locked) return *locked;
  if (first) return *first;
  // What is left is impossible: choosing it lets the solver find out why.
  if (!node.alternatives.empty() && !allowed.empty()) return allowed.intervals()[0].from;
  return NoVersion{};
}

Choice DebianProvider::Choose(PackageId package, const VersionSet& allowed,
                              const PartialSolutionView& partial) {
  const Node& node = nodes_[package];
  return node.kind == Node::Kind::kReal ? ChooseVersion(node, allowed)
                                        : ChooseAlternative(node, allowed, partial);
}

DecisionPriority DebianProvider::Prioritize(PackageId package, const VersionSet&,
                                            const ConflictCounts&, const PartialSolutionView&) {
  return {IsReal(package) ? 1 : 0, 0};
}

std::string DebianProvider::Name(PackageId package) const { return nodes_[package].text; }

std::string DebianProvider::Describe(PackageId package, const VersionSet& versions) const {
  const Node& node = nodes_[package];
  std::size_t all =
      node.kind == Node::Kind::kReal ? node.candidates.size() : node.alternatives.size();
  std::vector<std::string> some;
  for (Position i = 0; i < all; ++i) {
    if (!versions.Contains(i)) continue;
    some.push_back(node.kind == Node::Kind::kReal ? std::string(node.candidates[i].version())
                                                  : Name(node.alternatives[i].package));
  }
  if (some.size() == all || some.empty()) return node.text;
  std::string list = fmt::format("{}", fmt::join(some, " or "));
  return node.kind == Node::Kind::kReal ? fmt::format("{} {}", node.text, list)
                                        : fmt::format("{} (for {})", list, node.text);
}

std::string DebianProvider::NeedClause(const NeedFact& fact) const {
  if (nodes_[fact.dependent.package].kind != Node::Kind::kGroup) return "";
  return fmt::format("{} can be met by {}", Name(fact.dependent.package),
                     Describe(fact.needed.package, fact.needed.versions));
}

std::string DebianProvider::NoVersionClause(const NoVersionFact& fact) const {
  const Node& node = nodes_[fact.without.package];
  if (node.kind != Node::Kind::kGroup) return "";
  return fmt::format("no package in the archive satisfies {}", node.text);
}

}  // namespace imgbuild::builder
