// Debian's packages and relations as the solver sees them. Two kinds of solver packages:
//   - a real one for each name; its positions are PackageIndex::Candidates, newest first;
//   - a group for each relation that more than one package can satisfy; its positions are the
//     alternatives in order of preference, and each needs one real package.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "builder/debian/package_index.h"
#include "builder/debian/solve.h"
#include "builder/resolve/explain.h"
#include "builder/resolve/provider.h"

namespace imgbuild::builder {

class DebianProvider : public Provider, public Namer {
 public:
  static constexpr PackageId kRoot = 0;

  // Borrows both.
  DebianProvider(const PackageIndex& index, const DebianSolveOptions& options);

  // Makes the root need the package of that very name; what provides it only where there is none.
  void AddRoot(const RelationView& root);

  Choice Choose(PackageId package, const VersionSet& allowed,
                const PartialSolutionView& partial) override;
  DependenciesAnswer DependenciesOf(PackageId package, Position version) override;
  DecisionPriority Prioritize(PackageId package, const VersionSet& allowed,
                              const ConflictCounts& counts,
                              const PartialSolutionView& partial) override;

  std::string Describe(PackageId package, const VersionSet& versions) const override;
  std::string Name(PackageId package) const override;
  std::string NeedClause(const NeedFact& fact) const override;
  std::string NoVersionClause(const NoVersionFact& fact) const override;

  bool IsReal(PackageId package) const { return nodes_[package].kind == Node::Kind::kReal; }
  // REQUIRES: IsReal(package).
  const Package& CandidateAt(PackageId package, Position position) const {
    return nodes_[package].candidates[position];
  }
  // What satisfies the alternatives: a real package, or a group.
  Need NeedFor(const AlternativesView& alternatives);
  // Of the package's relations of that kind, without those that are assumed to be met.
  std::vector<Need> NeedsOf(const Package& package, RelationKind kind);
  // The real package that position of a group stands for.
  const Need& AlternativeAt(PackageId group, Position position) const {
    return nodes_[group].alternatives[position];
  }
  const std::vector<Need>& root_needs() const { return root_needs_; }

 private:
  struct Node {
    enum class Kind : std::uint8_t { kRoot, kReal, kGroup };

    Kind kind = Kind::kReal;
    std::string text;  // name, or the relation
    std::vector<Package> candidates;
    std::vector<Need> alternatives;
  };

  PackageId RealId(std::string_view name);
  PackageId GroupId(const AlternativesView& alternatives, std::vector<Need> needs);
  VersionSet Satisfying(PackageId real, const RelationView& relation) const;
  std::vector<Need> Providing(const RelationView& relation);
  std::vector<Need> Satisfying(const AlternativesView& alternatives);
  void AddExcludes(PackageId package, const std::vector<AlternativesView>& relations,
                   std::vector<Need>& excludes);
  Choice ChooseVersion(const Node& node, const VersionSet& allowed) const;
  Choice ChooseAlternative(const Node& node, const VersionSet& allowed,
                           const PartialSolutionView& partial) const;

  const PackageIndex& index_;
  const DebianSolveOptions& options_;
  std::vector<Node> nodes_;
  std::unordered_map<std::string, PackageId> real_ids_;
  std::unordered_map<std::string, PackageId> group_ids_;
  std::vector<Need> root_needs_;
};

// "a | b (>= 1)".
std::string RenderAlternatives(const AlternativesView& alternatives);

}  // namespace imgbuild::builder
