#include "builder/pypi/python_provider.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "builder/resolve/solver.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::size_t kLargestBatch = 50;

// A batch of guesses is worth it once a project was tried in vain that often: after 5, 10 and 20
// versions, and then after every 20.
bool BatchIsDue(std::size_t tried, std::size_t last) {
  return (tried >= 5 && last < 5) || (tried >= 10 && last < 10) ||
         (tried >= 20 && tried - last >= 20) || (tried >= 20 && last < 20);
}

bool PinsOneVersion(const specs::SpecifierSet& specifier) {
  using Op = specs::SpecifierOperator;
  return std::any_of(specifier.specifiers().begin(), specifier.specifiers().end(),
                     [](const specs::Specifier& one) {
                       return (one.op() == Op::kEqual && !one.wildcard()) ||
                              one.op() == Op::kArbitrary;
                     });
}

}  // namespace

PythonProvider::PythonProvider(Catalog& catalog, const CandidateRules& rules,
                               std::vector<Dependency> root,
                               const std::vector<Dependency>& constraints,
                               std::function<void(std::size_t, std::string_view)> progress)
    : catalog_(catalog), rules_(rules), root_(std::move(root)), progress_(std::move(progress)) {
  packages_.push_back({});
  for (const Dependency& constraint : constraints) {
    auto [entry, added] = constraints_.try_emplace(constraint.project, constraint.range);
    if (!added) entry->second = entry->second.Intersect(constraint.range);
  }
}

PackageId PythonProvider::Intern(const std::string& project, const std::string& extra) {
  auto [entry, added] =
      ids_.try_emplace({project, extra}, static_cast<PackageId>(packages_.size()));
  if (added) packages_.push_back({project, extra});
  return entry->second;
}

const Project* PythonProvider::project(PackageId id) const {
  const ProjectResult& result = catalog_.GetProject(packages_[id].project);
  if (auto* error = std::get_if<specs::Error>(&result)) throw *error;
  return std::get_if<Project>(&result);
}

VersionSet PythonProvider::SetOf(const Dependency& dependency) const {
  const auto* known = std::get_if<Project>(&catalog_.GetProject(dependency.project));
  if (known == nullptr) return VersionSet::Full();
  specs::VersionRange range = dependency.range;
  if (auto constraint = constraints_.find(dependency.project); constraint != constraints_.end()) {
    range = range.Intersect(constraint->second);
  }
  if (range.IsFull()) return VersionSet::Full();
  VersionSet set;
  Position size = static_cast<Position>(known->releases.size());
  for (Position i = 0; i < size;) {
    if (!range.Contains(known->releases[i].version)) {
      ++i;
      continue;
    }
    Position from = i;
    while (i < size && range.Contains(known->releases[i].version)) ++i;
    set = set.Union(VersionSet::Between(from, i == size ? kEndPosition : i));
  }
  return set;
}

std::vector<Dependency> PythonProvider::Needs(PackageId id, Position version) const {
  if (id == kRoot) return root_;
  const Package& package = packages_[id];
  const auto* facts = std::get_if<ReleaseFacts>(&catalog_.GetFacts(package.project, version));
  if (facts == nullptr) return {};
  if (package.extra.empty()) return facts->dependencies;
  return DependenciesFor(facts->metadata, rules_.target(), package.extra);
}

Choice PythonProvider::Choose(PackageId id, const VersionSet& allowed,
                              const PartialSolutionView& partial) {
  const Package package = packages_[id];
  if (id == kRoot) return Position{0};
  const Project* found = project(id);
  if (found == nullptr) {
    const auto& missing = std::get<NoSuchProject>(catalog_.GetProject(package.project));
    return NoVersion{fmt::format("was not found in {} {}",
                                 missing.asked.size() == 1 ? "index" : "indexes",
                                 specs::Join(missing.asked, ", "))};
  }
  VersionSet wanted = Agreeable(package.project, allowed, partial);
  std::optional<std::size_t> picked = PickIn(*found, wanted);
  if (!picked) return NoVersion{};
  Memory& memory = memory_[package.project];
  auto version = static_cast<Position>(*picked);
  if (memory.last != version) {
    memory.last = version;
    ++memory.tried;
    GuessBatch(*found, memory, wanted, version);
  }
  if (progress_) progress_(packages_.size() - 1, package.project);
  return version;
}

std::optional<std::size_t> PythonProvider::PickIn(const Project& project,
                                                  const VersionSet& wanted) const {
  return rules_.PickAmong(project, [&](std::size_t release) {
    return wanted.Contains(static_cast<Position>(release));
  });
}

// A project and its extras have to be chosen at one version: the part of `allowed` that all of them
// can have, if there is one.
VersionSet PythonProvider::Agreeable(const std::string& project, const VersionSet& allowed,
                                     const PartialSolutionView& partial) const {
  VersionSet agreed = allowed;
  for (auto id = ids_.lower_bound({project, ""}); id != ids_.end() && id->first.first == project;
       ++id) {
    if (const VersionSet* other = partial.Allowed(id->second)) agreed = agreed.Intersect(*other);
  }
  const Project* known = this->project(ids_.at({project, ""}));
  return known != nullptr && PickIn(*known, agreed) ? agreed : allowed;
}

void PythonProvider::GuessBatch(const Project& project, Memory& memory, const VersionSet& allowed,
                                Position version) {
  catalog_.ExpectFacts(project.name, version);
  if (!BatchIsDue(memory.tried, memory.batched)) return;
  memory.batched = memory.tried;
  std::size_t left = std::min(memory.tried, kLargestBatch);
  for (Position next = version; left > 0 && next-- > 0;) {
    const specs::Version& candidate = project.releases[next].version;
    if (candidate.is_prerelease() && !rules_.PrereleasesAllowed()) continue;
    // What needs exactly one version of this project may still let go of it, so that versions
    // outside of what is allowed now are likely as well.
    if (!allowed.Contains(next) && allowed.Contains(version) && !memory.pinned) continue;
    if (catalog_.ExpectFacts(project.name, next)) --left;
  }
}

Unavailable PythonProvider::AllLike(const Project& project, Position version,
                                    const Unusable& unusable) {
  auto alike = [&](Position other) {
    const auto* same = std::get_if<Unusable>(&catalog_.GetUsability(project.name, other));
    return same != nullptr && same->clause == unusable.clause;
  };
  Position from = version;
  while (from > 0 && alike(from - 1)) --from;
  Position to = version + 1;
  while (to < project.releases.size() && alike(to)) ++to;
  return {unusable.clause, VersionSet::Between(from, to)};
}

Dependencies PythonProvider::Answer(std::vector<Need> needs,
                                    const std::vector<Dependency>& dependencies) {
  for (const Dependency& dependency : dependencies) catalog_.Expect(dependency);
  for (const Dependency& dependency : dependencies) {
    const std::string& name = dependency.project;
    Memory& memory = memory_[name];
    if (memory.seen == 0) memory.seen = static_cast<std::int64_t>(memory_.size());
    if (PinsOneVersion(dependency.specifier)) memory.pinned = true;
    VersionSet set = SetOf(dependency);
    needs.push_back({Intern(name, ""), set});
    for (const std::string& extra : dependency.extras) needs.push_back({Intern(name, extra), set});
  }
  return {std::move(needs), {}, {}};
}

// Every release of what the extras require that they do not admit.
std::vector<Need> PythonProvider::BoundBy(const std::string& project, Position version) {
  const auto& facts = std::get<ReleaseFacts>(catalog_.GetFacts(project, version));
  std::map<std::string, Dependency> bound;
  for (const std::string& extra : facts.metadata.provides_extra) {
    for (Dependency& dependency : DependenciesFor(facts.metadata, rules_.target(), extra)) {
      if (dependency.range.IsFull() || dependency.project == project) continue;
      catalog_.Expect(dependency);
      const auto [known, added] = bound.try_emplace(dependency.project, dependency);
      if (!added) known->second.range = known->second.range.Intersect(dependency.range);
    }
  }
  std::vector<Need> excludes;
  for (const auto& [name, dependency] : bound) {
    if (!std::holds_alternative<Project>(catalog_.GetProject(name))) continue;
    excludes.push_back({Intern(name, ""), SetOf(dependency).Complement()});
  }
  return excludes;
}

DependenciesAnswer PythonProvider::DependenciesOf(PackageId id, Position version) {
  if (id == kRoot) return Answer({}, root_);
  const Package package = packages_[id];
  const Project& of = *project(id);
  const Usability& usability = catalog_.GetUsability(package.project, version);
  if (auto* unusable = std::get_if<Unusable>(&usability)) return AllLike(of, version, *unusable);
  const FactsResult& facts = catalog_.GetFacts(package.project, version);
  if (auto* bad = std::get_if<BadMetadata>(&facts)) return Unavailable{bad->clause, {}};
  if (auto* error = std::get_if<specs::Error>(&facts)) throw *error;
  std::vector<Need> needs;
  if (!package.extra.empty()) {
    needs.push_back({Intern(package.project, ""), VersionSet::Only(version)});
  }
  Dependencies dependencies = Answer(std::move(needs), Needs(id, version));
  if (package.extra.empty() && rules_.input().binding.contains(package.project)) {
    dependencies.excludes = BoundBy(package.project, version);
  }
  return dependencies;
}

DecisionPriority PythonProvider::Prioritize(PackageId id, const VersionSet&,
                                            const ConflictCounts& counts,
                                            const PartialSolutionView&) {
  if (id == kRoot) return {.major = 9, .minor = 0};
  const Memory& memory = memory_[packages_[id].project];
  std::int64_t major = 0;
  if (memory.pinned) {
    major = 3;
  } else if (counts.affected >= kConflictsBeforeReprioritising) {
    major = 2;
  } else if (counts.culprit >= kConflictsBeforeReprioritising) {
    major = 1;
  }
  return {.major = major, .minor = -memory.seen};
}

}  // namespace imgbuild::builder
