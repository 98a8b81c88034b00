// Python packages as the solver sees them: a project, and beside it one virtual package for each
// extra asked for, whose versions are the project's and which needs the project at its own version.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "builder/pypi/candidates.h"
#include "builder/pypi/catalog.h"
#include "builder/resolve/provider.h"

namespace imgbuild::builder {

// Positions are indices into Project::releases. Priorities, as uv's: what is pinned to one version
// first, then what was in conflict, then the order in which projects were seen.
class PythonProvider : public Provider {
 public:
  static constexpr PackageId kRoot = 0;

  struct Package {
    std::string project;  // "" for the root
    std::string extra;    // "" for the project itself
  };

  // Borrows both. `root`: the user's requirements; `constraints`: restrict whatever needs them.
  PythonProvider(Catalog& catalog, const CandidateRules& rules, std::vector<Dependency> root,
                 const std::vector<Dependency>& constraints,
                 std::function<void(std::size_t, std::string_view)> progress);

  Choice Choose(PackageId package, const VersionSet& allowed,
                const PartialSolutionView& partial) override;
  DependenciesAnswer DependenciesOf(PackageId package, Position version) override;
  DecisionPriority Prioritize(PackageId package, const VersionSet& allowed,
                              const ConflictCounts& counts,
                              const PartialSolutionView& partial) override;

  const Package& package(PackageId id) const { return packages_[id]; }
  // What a decided package needs. For the root its `version` is 0.
  std::vector<Dependency> Needs(PackageId id, Position version) const;
  // The releases that a dependency admits, constraints included.
  VersionSet SetOf(const Dependency& dependency) const;
  // nullptr where the project does not exist.
  const Project* project(PackageId id) const;
  Catalog& catalog() const { return catalog_; }

 private:
  // What the provider remembers of a project.
  struct Memory {
    std::int64_t seen = 0;         // order of first sight
    bool pinned = false;           // something needs exactly one version
    std::size_t tried = 0;         // versions
    std::optional<Position> last;  // the latest of them
    std::size_t batched = 0;       // `tried` at the last batch of guesses
  };

  PackageId Intern(const std::string& project, const std::string& extra);
  Dependencies Answer(std::vector<Need> needs, const std::vector<Dependency>& dependencies);
  std::vector<Need> BoundBy(const std::string& project, Position version);
  Unavailable AllLike(const Project& project, Position version, const Unusable& unusable);
  std::optional<std::size_t> PickIn(const Project& project, const VersionSet& wanted) const;
  VersionSet Agreeable(const std::string& project, const VersionSet& allowed,
                       const PartialSolutionView& partial) const;
  void GuessBatch(const Project& project, Memory& memory, const VersionSet& allowed,
                  Position version);

  Catalog& catalog_;
  const CandidateRules& rules_;
  std::vector<Dependency> root_;
  std::map<std::string, specs::VersionRange> constraints_;
  std::function<void(std::size_t, std::string_view)> progress_;
  std::vector<Package> packages_;
  std::map<std::pair<std::string, std::string>, PackageId> ids_;
  std::unordered_map<std::string, Memory> memory_;
};

}  // namespace imgbuild::builder
