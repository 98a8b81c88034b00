#include "builder/pypi/explanation.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "builder/pypi/well_known_projects.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::size_t kMaxPieces = 3;

// The part of a set that holds real releases, as half-open index intervals.
std::vector<VersionSet::Interval> RealIntervals(const VersionSet& versions, Position size) {
  std::vector<VersionSet::Interval> real;
  for (const VersionSet::Interval& interval : versions.intervals()) {
    Position to = std::min(interval.to, size);
    if (interval.from < to) real.push_back({interval.from, to});
  }
  return real;
}

bool HoldsAll(const std::vector<VersionSet::Interval>& real, Position size) {
  return real.size() == 1 && real[0].from == 0 && real[0].to == size;
}

std::string DescribeInterval(const Project& project, const VersionSet::Interval& interval) {
  auto text = [&](Position index) { return project.releases[index].version.Render(); };
  Position size = static_cast<Position>(project.releases.size());
  if (interval.to - interval.from == 1) return "==" + text(interval.from);
  if (interval.to == size) return ">=" + text(interval.from);
  if (interval.from == 0) return "<" + text(interval.to);
  return fmt::format(">={},<{}", text(interval.from), text(interval.to));
}

// A proof may have hundreds of steps, of which the first and the last ones tell most.
std::string Shorten(const std::string& text) {
  constexpr std::size_t kHead = 6;
  constexpr std::size_t kTail = 8;
  std::vector<std::string> lines;
  for (std::string_view line : specs::Split(text, '\n')) lines.emplace_back(line);
  if (lines.size() <= kHead + kTail + 2) return text;
  std::size_t left_out = lines.size() - kHead - kTail;
  lines.erase(lines.begin() + kHead, lines.end() - kTail);
  lines.insert(lines.begin() + kHead, fmt::format("... ({} more steps) ...", left_out));
  return specs::Join(lines, "\n");
}

void AddHints(const DerivationStep& step, const PythonProvider& provider, const ResolveInput& input,
              std::set<std::string>& hints) {
  if (auto* none = std::get_if<NoVersionFact>(&step.reason)) {
    const std::string& name = provider.package(none->without.package).project;
    if (provider.project(none->without.package) != nullptr) return;
    std::vector<std::string> names(WellKnownProjects().begin(), WellKnownProjects().end());
    std::erase(names, name);
    for (const specs::Requirement& requirement : input.requirements) {
      if (requirement.name != name) names.push_back(requirement.name);
    }
    std::string near = specs::DidYouMean(name, names);
    if (!near.empty()) hints.insert(fmt::format("{}: {}", name, near));
    return;
  }
  auto* unavailable = std::get_if<UnavailableFact>(&step.reason);
  if (unavailable == nullptr) return;
  const std::string& because = unavailable->because;
  if (because.find("exclude-newer") != std::string::npos) {
    hints.insert("a later date in python.exclude-newer lets newer releases in");
  } else if (because.starts_with("has only a source archive")) {
    hints.insert(
        "build a wheel of it elsewhere and name its path in python.packages, or ask for a release "
        "that has wheels");
  } else if (because.starts_with("has no wheel for")) {
    hints.insert(
        "another python.version or platform may have a wheel, or a wheel of your own by path");
  } else if (because.starts_with("was yanked")) {
    hints.insert("a yanked release is taken only where the spec pins it with ==");
  }
}

}  // namespace

std::string PythonNamer::Name(PackageId id) const {
  const PythonProvider::Package& package = provider_.package(id);
  return package.extra.empty() ? package.project
                               : fmt::format("{}[{}]", package.project, package.extra);
}

std::string PythonNamer::Describe(PackageId id, const VersionSet& versions) const {
  if (id == PythonProvider::kRoot) return RootPhrase();
  const Project* project = provider_.project(id);
  if (project == nullptr) return Name(id);
  Position size = static_cast<Position>(project->releases.size());
  std::vector<VersionSet::Interval> real = RealIntervals(versions, size);
  if (HoldsAll(real, size)) return "every version of " + Name(id);
  if (real.size() == 1 && real[0].to - real[0].from == 1) {
    return fmt::format("{} {}", Name(id), project->releases[real[0].from].version.Render());
  }
  std::vector<std::string> pieces;
  for (const VersionSet::Interval& interval : real) {
    if (pieces.size() == kMaxPieces) {
      pieces.push_back("...");
      break;
    }
    pieces.push_back(DescribeInterval(*project, interval));
  }
  return Name(id) + specs::Join(pieces, " or ");
}

// The one dependency that all the dependent's versions in the fact share, if they do.
const Dependency* PythonNamer::Agreed(const NeedFact& fact,
                                      std::vector<Dependency>& scratch) const {
  const PythonProvider::Package& needed = provider_.package(fact.needed.package);
  const Project* dependent = nullptr;
  std::vector<VersionSet::Interval> real = {{0, 1}};
  if (fact.dependent.package != PythonProvider::kRoot) {
    dependent = provider_.project(fact.dependent.package);
    if (dependent == nullptr) return nullptr;
    real =
        RealIntervals(fact.dependent.versions, static_cast<Position>(dependent->releases.size()));
  }
  if (real.size() != 1 || real[0].to - real[0].from != 1) return nullptr;
  scratch = provider_.Needs(fact.dependent.package, real[0].from);
  const Dependency* found = nullptr;
  for (const Dependency& dependency : scratch) {
    bool same = dependency.project == needed.project &&
                (needed.extra.empty() || dependency.extras.contains(needed.extra)) &&
                provider_.SetOf(dependency) == fact.needed.versions;
    if (same && found == nullptr) found = &dependency;
  }
  return found;
}

std::string PythonNamer::NeedClause(const NeedFact& fact) const {
  std::vector<Dependency> scratch;
  const Dependency* dependency = Agreed(fact, scratch);
  if (dependency == nullptr) return "";
  bool root = fact.dependent.package == PythonProvider::kRoot;
  std::string specifier = dependency->specifier.Render();
  std::string clause =
      fmt::format("{} {}{}",
                  root ? RootPhrase() + " need"
                       : Describe(fact.dependent.package, fact.dependent.versions) + " depends on",
                  Name(fact.needed.package), specifier);
  const Project* needed = provider_.project(fact.needed.package);
  if (fact.needed.versions.empty() && needed != nullptr && !needed->releases.empty()) {
    std::string newest = needed->releases.back().version.Render();
    clause += fmt::format(", of which there is no release the constraints allow (the newest is {})",
                          newest);
  }
  return clause;
}

specs::Error UnresolvableError(const Derivation& derivation, const PythonProvider& provider,
                               const ResolveInput& input) {
  PythonNamer namer(provider);
  std::string text = fmt::format("no set of Python packages for {} satisfies the requirements:\n{}",
                                 input.target.description, Shorten(Explain(derivation, namer)));
  std::set<std::string> hints;
  for (const DerivationStep& step : derivation.steps) AddHints(step, provider, input, hints);
  specs::Error error(specs::ErrorKind::kUnresolvable, std::move(text));
  std::vector<std::string> lines(hints.begin(), hints.end());
  if (lines.empty()) return error;
  return std::move(error).Hint(specs::Join(lines, "\n"));
}

}  // namespace imgbuild::builder
