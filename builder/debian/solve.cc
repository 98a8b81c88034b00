#include "builder/debian/solve.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "builder/debian/solve_provider.h"
#include "builder/resolve/solver.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::ErrorKind;

RelationView RelationOf(std::string_view root) {
  std::size_t equals = root.find('=');
  if (equals == std::string_view::npos) return {root, "", specs::VersionOp::kAny, ""};
  return {root.substr(0, equals), "", specs::VersionOp::kEqual, root.substr(equals + 1)};
}

// Why the archive has nothing for a root; "" where it has.
std::string WhyMissing(const PackageIndex& index, const RelationView& root) {
  std::vector<Package> candidates = index.Candidates(root.name);
  if (!candidates.empty()) {
    std::vector<std::string> versions;
    for (const Package& candidate : candidates) {
      if (root.SatisfiedBy(candidate.version())) return "";
      versions.emplace_back(candidate.version());
    }
    return fmt::format("there is no version {} of {}, only {}", root.version, root.name,
                       specs::Join(versions, ", "));
  }
  std::set<std::string> names;
  for (const ProvidingPackage& provider : index.Providers(root.name)) {
    names.emplace(provider.package.name());
  }
  if (names.size() == 1 && root.op == specs::VersionOp::kAny) return "";
  if (!names.empty()) {
    return fmt::format("{} is a virtual package: name one of {}", root.name,
                       specs::Join({names.begin(), names.end()}, ", "));
  }
  std::string hint;
  for (const std::string& near : index.NamesNear(root.name)) {
    hint += fmt::format("{}\"{}\"", hint.empty() ? ": did you mean " : " or ", near);
  }
  return fmt::format("there is no package {}{}{}", root.name, hint, hint.empty() ? "" : "?");
}

void CheckRoots(const PackageIndex& index, const std::vector<std::string>& roots) {
  std::vector<std::string> missing;
  for (const std::string& root : roots) {
    std::string why = WhyMissing(index, RelationOf(root));
    if (!why.empty()) missing.push_back(std::move(why));
  }
  if (missing.empty()) return;
  throw Error(ErrorKind::kUnresolvable,
              missing.size() == 1 ? missing[0] : specs::Join(missing, "\n"));
}

// The real packages of a solution and, through its groups, what satisfied their relations.
class Chosen {
 public:
  Chosen(DebianProvider& provider, const Solution& solution) : provider_(provider) {
    for (const auto& [package, position] : solution.chosen) {
      if (package == DebianProvider::kRoot) continue;
      if (provider.IsReal(package)) {
        place_[package] = nodes_.size();
        nodes_.push_back({provider.CandidateAt(package, position), {}, {}});
      } else {
        alternative_[package] = position;
      }
    }
  }

  Closure MakeClosure() {
    for (ClosureNode& node : nodes_) {
      node.pre_depends = Targets(node.package, RelationKind::kPreDepends);
      node.depends = Targets(node.package, RelationKind::kDepends);
    }
    std::vector<std::size_t> roots;
    for (const Need& need : provider_.root_needs()) roots.push_back(PlaceOf(need));
    return builder::MakeClosure(nodes_, roots);
  }

 private:
  std::vector<std::size_t> Targets(const Package& package, RelationKind kind) {
    std::vector<std::size_t> targets;
    for (const Need& need : provider_.NeedsOf(package, kind)) targets.push_back(PlaceOf(need));
    return targets;
  }

  std::size_t PlaceOf(const Need& need) const {
    if (provider_.IsReal(need.package)) return place_.at(need.package);
    Position position = alternative_.at(need.package);
    return place_.at(provider_.AlternativeAt(need.package, position).package);
  }

  DebianProvider& provider_;
  std::vector<ClosureNode> nodes_;
  std::unordered_map<PackageId, std::size_t> place_;
  std::unordered_map<PackageId, Position> alternative_;
};

}  // namespace

Closure SolveDebian(const PackageIndex& index, const std::vector<std::string>& roots,
                    const DebianSolveOptions& options) {
  CheckRoots(index, roots);
  DebianProvider provider(index, options);
  for (const std::string& root : roots) provider.AddRoot(RelationOf(root));
  auto result = Solve(provider, DebianProvider::kRoot, 0);
  if (const auto* none = std::get_if<NoSolution>(&result)) {
    throw Error(ErrorKind::kUnresolvable, "these Debian packages do not go together:\n" +
                                              Explain(none->derivation, provider));
  }
  return Chosen(provider, std::get<Solution>(result)).MakeClosure();
}

}  // namespace imgbuild::builder
