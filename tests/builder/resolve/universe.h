// A closed world of packages for tests of the solver, written as a table or as TOML:
//
//   description = "what it shows"
//   root = ["a>=1", "b"]
//   solution = ["a 2", "b 1"]          # or: explanation = '''...'''
//   [packages.a]
//   "1" = ["b<2", "!c"]                # needs b below 2, must not be with c
//   "2" = ["unavailable: was withdrawn"]
//
// Versions are dotted numbers; ranges are comparisons with a comma between, as in "b>=1,<2.5".
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/resolve/explain.h"
#include "builder/resolve/provider.h"

namespace imgbuild::builder {

struct Universe {
  std::string description;
  std::vector<std::string> root;
  std::map<std::string, std::map<std::string, std::vector<std::string>>> packages;
  std::vector<std::string> solution;  // "name version", ordered
  std::string explanation;
};

// Throws std::runtime_error with the place of what is not understood.
Universe ParseUniverse(std::string_view text, std::string_view file);

// Newest versions first; the package with the fewest allowed versions first.
class UniverseProvider : public Provider, public Namer {
 public:
  explicit UniverseProvider(const Universe& universe);

  static constexpr PackageId kRoot = 0;

  Choice Choose(PackageId package, const VersionSet& allowed,
                const PartialSolutionView& partial) override;
  DependenciesAnswer DependenciesOf(PackageId package, Position version) override;
  DecisionPriority Prioritize(PackageId package, const VersionSet& allowed,
                              const ConflictCounts& counts,
                              const PartialSolutionView& partial) override;

  std::string Describe(PackageId package, const VersionSet& versions) const override;
  std::string Name(PackageId package) const override { return names_[package]; }

  // "name version" for each package but the root, ordered.
  std::vector<std::string> Render(const std::vector<std::pair<PackageId, Position>>& chosen) const;

  std::size_t PackageCount() const { return names_.size(); }
  // Slots of the package's versions.
  std::vector<Position> Versions(PackageId package) const;

 private:
  PackageId IdOf(const std::string& name);
  Need ParseNeed(std::string_view text);

  std::map<std::string, PackageId> ids_;
  std::vector<std::string> names_;
  std::vector<std::vector<std::string>> versions_;  // ascending
  std::vector<std::vector<std::vector<std::string>>> needs_;
  std::map<std::pair<PackageId, std::string>, std::string>
      asked_;  // by Render(): as it was written
};

}  // namespace imgbuild::builder
