#include "builder/pypi/resolver.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "builder/pypi/candidates.h"
#include "builder/pypi/catalog.h"
#include "builder/pypi/explanation.h"
#include "builder/pypi/python_provider.h"
#include "builder/pypi/reachable.h"
#include "builder/pypi/simple_json.h"
#include "builder/resolve/solver.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"

namespace imgbuild::builder {
namespace {

// Requirements whose markers hold on the target.
std::vector<Dependency> Applicable(const std::vector<specs::Requirement>& requirements,
                                   const specs::MarkerEnvironment& environment) {
  std::vector<Dependency> applicable;
  for (const specs::Requirement& requirement : requirements) {
    if (requirement.marker) {
      auto result = requirement.marker->Evaluate(environment);
      if (auto* error = std::get_if<specs::MarkerError>(&result)) {
        throw specs::Error(specs::ErrorKind::kUsage,
                           fmt::format("the marker of \"{}\" cannot be evaluated: {}",
                                       requirement.Render(), error->message));
      }
      if (!std::get<bool>(result)) continue;
    }
    if (!requirement.url.empty()) {
      throw specs::Error(specs::ErrorKind::kUsage,
                         fmt::format("\"{}\" asks for a package by URL", requirement.name))
          .Found(RedactUrl(requirement.url))
          .Expected("a version from an index, or the path of a local wheel")
          .Hint("download the wheel and name its path");
    }
    applicable.push_back(MakeDependency(requirement));
  }
  return applicable;
}

// Makes the wheel its project's only release. Returns the requirement that it stands for.
Dependency AddLocalWheel(const LocalWheel& wheel, const PythonTarget& target, Catalog& catalog) {
  auto parsed = specs::WheelName::Parse(wheel.filename);
  if (auto* error = std::get_if<specs::SyntaxError>(&parsed)) {
    throw specs::Error(specs::ErrorKind::kUsage,
                       fmt::format("{} has no name of a wheel: {}", wheel.path, error->message));
  }
  const auto& name = std::get<specs::WheelName>(parsed);
  if (!target.tags.Rank(name)) {
    throw specs::Error(specs::ErrorKind::kUnresolvable,
                       fmt::format("{} does not fit {}", wheel.path, target.description))
        .Found(target.tags.Explain(name));
  }
  auto text = ReadWheelFileMetadata(wheel.filename, wheel.file);
  if (auto* unreadable = std::get_if<UnreadableFile>(&text)) {
    throw specs::Error(fmt::format("{} {}", wheel.path, unreadable->clause));
  }
  SimpleFile file;
  file.filename = wheel.filename;
  file.url = "file:///" + wheel.filename;
  file.sha256 = layers::HashFile(wheel.file);
  file.size = layers::FileSource(wheel.file).size();
  static const IndexConfig kLocal{.name = "local", .url = "", .headers = {}, .packages = {}};
  SimplePageBuilder page("");
  page.Add(file);
  Project project = MakeProject(name.name, FoundPage{&kLocal, page.Finish()});
  FactsResult facts =
      ReadFacts(std::get<std::string>(text), project, project.releases.at(0), target);
  if (auto* bad = std::get_if<BadMetadata>(&facts)) {
    throw specs::Error(fmt::format("{} {}", wheel.path, bad->clause));
  }
  Dependency dependency;
  dependency.project = name.name;
  dependency.range = specs::VersionRange::Full();
  catalog.AddLocal(std::move(project), std::move(facts));
  return dependency;
}

std::string VersionOfFile(std::string_view filename, const Release& release) {
  if (!IsWheel(filename)) return release.text;
  std::size_t begin = filename.find('-') + 1;
  return std::string(filename.substr(begin, filename.find('-', begin) - begin));
}

ResolvedPackage Describe(const Project& project, Position version, Catalog& catalog) {
  const Release& release = project.releases[version];
  const auto& usable = std::get<Usable>(catalog.GetUsability(project.name, version));
  SimpleFile file = project.page.file(usable.file);
  ResolvedPackage package;
  package.name = project.name;
  package.version = VersionOfFile(file.filename, release);
  package.filename = file.filename;
  package.url = file.url;
  package.size = file.size;
  package.sha256 = file.sha256;
  package.index = project.index->name;
  return package;
}

Resolution Collect(const Solution& solution, const PythonProvider& provider,
                   const std::vector<LocalWheel>& wheels, const std::vector<Root>& roots) {
  Resolution resolution;
  std::map<std::string, ResolvedPackage> packages;
  for (const auto& [id, version] : solution.chosen) {
    const PythonProvider::Package& package = provider.package(id);
    if (id == PythonProvider::kRoot || !package.extra.empty()) continue;
    packages.emplace(package.project, Describe(*provider.project(id), version, provider.catalog()));
  }
  for (const Root& root : roots) {
    for (const Dependency& dependency : root.dependencies) {
      packages.at(dependency.project).required_by.insert(root.name);
    }
    for (const std::string& name : ReachableFrom(root, solution, provider)) {
      packages.at(name).roots.insert(root.name);
    }
  }
  for (const auto& [id, version] : solution.chosen) {
    if (id == PythonProvider::kRoot) continue;
    const PythonProvider::Package& package = provider.package(id);
    for (const Dependency& dependency : provider.Needs(id, version)) {
      auto needed = packages.find(dependency.project);
      if (needed != packages.end() && package.project != dependency.project) {
        needed->second.required_by.insert(package.project);
      }
    }
    if (package.extra.empty()) continue;
    packages.at(package.project).extras.insert(package.extra);
    const auto& facts =
        std::get<ReleaseFacts>(provider.catalog().GetFacts(package.project, version));
    const std::vector<std::string>& known = facts.metadata.provides_extra;
    if (std::find(known.begin(), known.end(), package.extra) == known.end()) {
      resolution.warnings.push_back(fmt::format("{} {} has no extra \"{}\"", package.project,
                                                facts.metadata.version_text, package.extra));
    }
  }
  for (const LocalWheel& wheel : wheels) {
    for (auto& [name, package] : packages) {
      if (package.filename != wheel.filename || package.index != "local") continue;
      package.path = wheel.path;
      package.url.clear();
    }
  }
  for (auto& [name, package] : packages) resolution.packages.push_back(std::move(package));
  return resolution;
}

}  // namespace

std::optional<std::int64_t> ParseExcludeNewer(std::string_view text) {
  constexpr std::int64_t kDay = 86'400'000'000;
  std::optional<std::int64_t> time = ParseTimestamp(text);
  if (time && text.size() == std::string_view("2026-11-01").size()) *time += kDay;
  return time;
}

Resolution ResolvePython(const ResolveInput& input, ResolveContext context) {
  CandidateRules rules(input);
  IndexClientOptions options{.cache_folder = context.cache_folder,
                             .connectivity = context.connectivity,
                             .now = context.now};
  Catalog catalog(context.http, rules, std::move(context.indexes), options);
  std::vector<Root> roots = {
      {"spec", Applicable(input.requirements, input.target.markers)},
      {input.optional.name, Applicable(input.optional.requirements, input.target.markers)}};
  std::vector<Dependency> constraints = Applicable(input.constraints, input.target.markers);
  for (const LocalWheel& wheel : input.wheels) {
    roots[0].dependencies.push_back(AddLocalWheel(wheel, input.target, catalog));
  }
  std::vector<Dependency> all = roots[0].dependencies;
  all.insert(all.end(), roots[1].dependencies.begin(), roots[1].dependencies.end());
  PythonProvider provider(catalog, rules, std::move(all), constraints, context.progress);
  auto result = Solve(provider, PythonProvider::kRoot, 0);
  if (auto* none = std::get_if<NoSolution>(&result)) {
    throw UnresolvableError(none->derivation, provider, input);
  }
  return Collect(std::get<Solution>(result), provider, input.wheels, roots);
}

}  // namespace imgbuild::builder
