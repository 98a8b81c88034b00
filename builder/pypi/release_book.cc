#include "builder/pypi/release_book.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "builder/pypi/candidates.h"
#include "builder/pypi/catalog.h"

namespace imgbuild::builder {

struct ReleaseBook::State {
  State(const ResolveInput& input, ResolveContext context)
      : rules(input),
        catalog(context.http, rules, std::move(context.indexes),
                {.cache_folder = context.cache_folder,
                 .connectivity = context.connectivity,
                 .now = context.now}) {}

  // nullptr where no index has it.
  const Project* Find(const std::string& project) {
    const ProjectResult& result = catalog.GetProject(project);
    if (auto* error = std::get_if<specs::Error>(&result)) throw *error;
    return std::get_if<Project>(&result);
  }

  bool Offers(const Project& project, std::size_t release) {
    if (project.releases[release].version.is_prerelease() && !rules.PrereleasesAllowed()) {
      return false;
    }
    return std::holds_alternative<Usable>(catalog.GetUsability(project.name, release));
  }

  const ReleaseFacts& Facts(const Project& project, std::size_t release) {
    const FactsResult& facts = catalog.GetFacts(project.name, release);
    if (auto* error = std::get_if<specs::Error>(&facts)) throw *error;
    if (auto* bad = std::get_if<BadMetadata>(&facts)) {
      throw specs::Error(
          fmt::format("{} {} {}", project.name, project.releases[release].text, bad->clause));
    }
    return std::get<ReleaseFacts>(facts);
  }

  CandidateRules rules;
  Catalog catalog;
};

ReleaseBook::ReleaseBook(const ResolveInput& input, ResolveContext context)
    : state_(std::make_unique<State>(input, std::move(context))) {}

ReleaseBook::~ReleaseBook() = default;

std::vector<std::string> ReleaseBook::Versions(const std::string& project) {
  std::vector<std::string> versions;
  const Project* found = state_->Find(project);
  if (found == nullptr) return versions;
  for (std::size_t i = 0; i < found->releases.size(); ++i) {
    if (state_->Offers(*found, i)) versions.push_back(found->releases[i].text);
  }
  return versions;
}

std::string ReleaseBook::Newest(const std::string& project, const specs::SpecifierSet& range) {
  const Project* found = state_->Find(project);
  if (found == nullptr) return "";
  const specs::VersionRange wanted = specs::VersionRange::Of(range);
  for (std::size_t i = found->releases.size(); i-- > 0;) {
    if (wanted.Contains(found->releases[i].version) && state_->Offers(*found, i)) {
      return found->releases[i].text;
    }
  }
  return "";
}

std::map<std::string, std::vector<std::string>> ReleaseBook::Extras(
    const std::string& project, const std::vector<std::string>& versions) {
  std::map<std::string, std::vector<std::string>> extras;
  const Project* found = state_->Find(project);
  if (found == nullptr) return extras;
  std::vector<std::size_t> releases;
  for (std::size_t i = 0; i < found->releases.size(); ++i) {
    const std::string& text = found->releases[i].text;
    if (std::find(versions.begin(), versions.end(), text) == versions.end()) continue;
    releases.push_back(i);
    state_->catalog.ExpectFacts(project, i);  // all at once, before the first is waited for
  }
  for (std::size_t release : releases) {
    const std::string& text = found->releases[release].text;
    extras[text] = state_->Facts(*found, release).metadata.provides_extra;
  }
  return extras;
}

std::vector<Dependency> ReleaseBook::Dependencies(const std::string& project,
                                                  const std::string& version,
                                                  const std::set<std::string>& extras) {
  const Project* found = state_->Find(project);
  if (found == nullptr) return {};
  const auto release = std::find_if(found->releases.begin(), found->releases.end(),
                                    [&](const Release& one) { return one.text == version; });
  if (release == found->releases.end()) return {};
  const ReleaseFacts& facts =
      state_->Facts(*found, static_cast<std::size_t>(release - found->releases.begin()));
  std::vector<Dependency> dependencies = facts.dependencies;
  std::set<std::string> seen;
  std::vector<std::string> left(extras.begin(), extras.end());
  while (!left.empty()) {
    const std::string extra = left.back();
    left.pop_back();
    if (!seen.insert(extra).second) continue;
    for (Dependency& dependency : DependenciesFor(facts.metadata, state_->rules.target(), extra)) {
      if (dependency.project == project) {
        left.insert(left.end(), dependency.extras.begin(), dependency.extras.end());
      } else {
        dependencies.push_back(std::move(dependency));
      }
    }
  }
  return dependencies;
}

}  // namespace imgbuild::builder
