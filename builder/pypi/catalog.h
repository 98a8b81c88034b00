// Everything that is known about projects during one resolution, fetched before it is asked for.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "builder/pypi/candidates.h"
#include "builder/pypi/index_client.h"
#include "builder/pypi/metadata_client.h"
#include "builder/pypi/project.h"
#include "specs/python/metadata.h"
#include "specs/python/version_range.h"

namespace imgbuild::builder {

// One edge: what a release (or one of its extras) needs on the target.
struct Dependency {
  std::string project;           // normalised
  std::set<std::string> extras;  // normalised
  specs::VersionRange range;
  specs::SpecifierSet specifier;  // of which `range` is the set; for messages
  std::string url;                // "" unless "name @ url"
};

// What the metadata of one release says for the target.
struct ReleaseFacts {
  specs::CoreMetadata metadata;
  std::vector<Dependency> dependencies;  // without extras
};

// Why a release's metadata cannot be used although its file can, as a clause: "has no static
// metadata and would have to be built".
struct BadMetadata {
  std::string clause;
};

using ProjectResult = std::variant<Project, NoSuchProject, specs::Error>;
using FactsResult = std::variant<ReleaseFacts, BadMetadata, specs::Error>;

// Asks indexes and files in parallel, ahead of the solver: as soon as a project's page is there,
// the metadata of the release that would be tried first is fetched, and as soon as that is there,
// the pages of what it needs. So the solver mostly finds what it asks for, and the network is kept
// busy whatever the solver waits for. Guesses are bounded: one release per project, with at most
// the extras seen. What is answered never depends on what arrived first.
class Catalog {
 public:
  // `http` and `rules` are borrowed.
  Catalog(HttpClient& http, const CandidateRules& rules, std::vector<IndexConfig> indexes,
          IndexClientOptions options);
  // Waits for transfers under way.
  ~Catalog();
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  // A project that exists as this one file only: page with one release, metadata at hand.
  void AddLocal(Project project, FactsResult facts);

  // This dependency will likely be asked about. Returns at once.
  void Expect(const Dependency& dependency);
  // The release's metadata will likely be asked for. Returns at once: whether this was news.
  bool ExpectFacts(const std::string& project, std::size_t release);

  // Wait for the answer. The references live as long as the catalog.
  const ProjectResult& GetProject(const std::string& project);
  // REQUIRES: GetProject(project) is a Project and the release is Usable.
  const FactsResult& GetFacts(const std::string& project, std::size_t release);
  // Memoised CandidateRules::Judge. REQUIRES: GetProject(project) is a Project.
  const Usability& GetUsability(const std::string& project, std::size_t release);

  const std::vector<IndexConfig>& indexes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The dependencies that `metadata` states for the target, with `extra` ("" for none). Those of an
// extra include the ones without it. Markers that cannot be evaluated count as false.
std::vector<Dependency> DependenciesFor(const specs::CoreMetadata& metadata,
                                        const PythonTarget& target, std::string_view extra);
Dependency MakeDependency(const specs::Requirement& requirement);

// What a metadata text says for the target, checked against the release it came with.
FactsResult ReadFacts(const std::string& text, const Project& project, const Release& release,
                      const PythonTarget& target);

}  // namespace imgbuild::builder
