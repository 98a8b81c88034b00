#include "builder/pypi/catalog.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

#include "specs/python/name.h"
#include "specs/python/requirement.h"

namespace imgbuild::builder {
namespace {

// Guesses stop after this many unusable releases: the solver will go on with better knowledge.
constexpr int kMaxGuesses = 20;

std::size_t ThreadCount() {
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, 8);
}

bool Applies(const specs::Requirement& requirement, const specs::MarkerEnvironment& environment,
             std::string_view extra) {
  if (!requirement.marker) return true;
  auto result = requirement.marker->Evaluate(environment, extra);
  auto* value = std::get_if<bool>(&result);
  return value != nullptr && *value;
}

}  // namespace

FactsResult ReadFacts(const std::string& text, const Project& project, const Release& release,
                      const PythonTarget& target) {
  auto parsed = specs::ParseCoreMetadata(text);
  if (auto* error = std::get_if<specs::SyntaxError>(&parsed)) {
    return BadMetadata{"has metadata that cannot be read: " + error->message};
  }
  auto& metadata = std::get<specs::CoreMetadata>(parsed);
  if (specs::NormalizeName(metadata.name) != project.name) {
    return BadMetadata{fmt::format("has the metadata of another project, \"{}\"", metadata.name)};
  }
  if (metadata.version != release.version && metadata.version.Public() != release.version) {
    return BadMetadata{
        fmt::format("has the metadata of another release, {}", metadata.version_text)};
  }
  if (!metadata.invalid_requires.empty()) {
    return BadMetadata{fmt::format("has a requirement that cannot be read: \"{}\"",
                                   metadata.invalid_requires.front().substr(0, 200))};
  }
  if (metadata.requires_python && !metadata.requires_python->Contains(target.version)) {
    return BadMetadata{fmt::format("needs Python {}", metadata.requires_python->Render())};
  }
  ReleaseFacts facts{std::move(metadata), {}};
  facts.dependencies = DependenciesFor(facts.metadata, target, "");
  for (const Dependency& dependency : facts.dependencies) {
    if (!dependency.url.empty()) {
      return BadMetadata{fmt::format("needs \"{}\" from a URL of its own", dependency.project)};
    }
  }
  return facts;
}

Dependency MakeDependency(const specs::Requirement& requirement) {
  Dependency dependency;
  dependency.project = specs::NormalizeName(requirement.name);
  for (const std::string& extra : requirement.extras) {
    dependency.extras.insert(specs::NormalizeName(extra));
  }
  dependency.specifier = requirement.specifier;
  dependency.range = requirement.specifier.Range();
  dependency.url = requirement.url;
  return dependency;
}

std::vector<Dependency> DependenciesFor(const specs::CoreMetadata& metadata,
                                        const PythonTarget& target, std::string_view extra) {
  std::vector<Dependency> dependencies;
  for (const specs::Requirement& requirement : metadata.requires_dist) {
    if (Applies(requirement, target.markers, extra)) {
      dependencies.push_back(MakeDependency(requirement));
    }
  }
  return dependencies;
}

struct Catalog::State {
  struct FactsEntry {
    bool asked = false;
    std::optional<FactsResult> result;
  };

  struct Entry {
    bool asked = false;
    std::optional<ProjectResult> result;
    std::unordered_map<std::size_t, Usability> usability;
    std::unordered_map<std::size_t, FactsEntry> facts;
    std::optional<specs::VersionRange> first_range;  // of the first dependency expected on it
    std::set<std::string> wanted_extras;
    std::set<std::string> followed_extras;  // "" stands for the project itself
    std::optional<std::size_t> guess;

    const Project* project() const { return result ? std::get_if<Project>(&*result) : nullptr; }
  };

  State(HttpClient& http, const CandidateRules& given_rules, std::vector<IndexConfig> indexes,
        const IndexClientOptions& options)
      : rules(given_rules),
        executor(std::make_unique<layers::ThreadExecutor>(ThreadCount())),
        index(http, *executor, std::move(indexes), options),
        metadata(http, *executor, options.cache_folder, options.connectivity) {}

  // All below: REQUIRES the mutex held, but for the two Got... and MakeResult.
  Entry& At(const std::string& project) { return projects[project]; }
  void AskProject(const std::string& project, Entry& entry);
  void GotProject(const std::string& name, PageResult result);
  bool AskFacts(const Project& project, Entry& entry, std::size_t release);
  void GotFacts(const Project& project, std::size_t release, FactsResult result);
  void FetchFacts(const Project& project, std::size_t release, std::uint32_t file);
  const Usability& UsabilityOf(const Project& project, Entry& entry, std::size_t release);
  void Expect(const Dependency& dependency);
  void Guess(const Project& project, Entry& entry);
  void Follow(Entry& entry);
  void Finished();

  const CandidateRules& rules;
  std::mutex mutex;
  std::condition_variable changed;
  std::unordered_map<std::string, Entry> projects;  // entries never move
  std::size_t pending = 0;                          // requests whose answer has not come
  bool stopping = false;
  std::unique_ptr<layers::ThreadExecutor> executor;
  IndexClient index;
  MetadataClient metadata;
};

void Catalog::State::Finished() {
  --pending;
  changed.notify_all();
}

void Catalog::State::AskProject(const std::string& project, Entry& entry) {
  if (entry.asked || stopping) return;
  entry.asked = true;
  ++pending;
  index.Request(project,
                [this, project](PageResult result) { GotProject(project, std::move(result)); });
}

void Catalog::State::GotProject(const std::string& name, PageResult result) {
  ProjectResult made = NoSuchProject{};
  if (auto* found = std::get_if<FoundPage>(&result)) {
    made = MakeProject(name, std::move(*found));
  } else if (auto* missing = std::get_if<NoSuchProject>(&result)) {
    made = std::move(*missing);
  } else {
    made = std::move(std::get<specs::Error>(result));
  }
  std::lock_guard lock(mutex);
  Entry& entry = At(name);
  entry.result = std::move(made);
  if (const Project* project = entry.project()) Guess(*project, entry);
  Finished();
}

const Usability& Catalog::State::UsabilityOf(const Project& project, Entry& entry,
                                             std::size_t release) {
  auto found = entry.usability.find(release);
  if (found == entry.usability.end()) {
    Usability judged = rules.Judge(project, project.releases[release]);
    found = entry.usability.emplace(release, std::move(judged)).first;
  }
  return found->second;
}

bool Catalog::State::AskFacts(const Project& project, Entry& entry, std::size_t release) {
  FactsEntry& facts = entry.facts[release];
  if (facts.asked || stopping) return false;
  const auto* usable = std::get_if<Usable>(&UsabilityOf(project, entry, release));
  if (usable == nullptr) return false;
  facts.asked = true;
  ++pending;
  FetchFacts(project, release, usable->file);
  return true;
}

// An sdist whose metadata is not static may still be described by a wheel of the same release, for
// another machine.
void Catalog::State::FetchFacts(const Project& project, std::size_t release, std::uint32_t file) {
  RemoteFile remote = MakeRemoteFile(project.page.file(file), *project.index);
  bool wheel = IsWheel(remote.filename);
  metadata.Request(std::move(remote), [this, &project, release, wheel](MetadataResult result) {
    const Release& of = project.releases[release];
    if (auto* error = std::get_if<specs::Error>(&result)) {
      return GotFacts(project, release, std::move(*error));
    }
    if (auto* unreadable = std::get_if<UnreadableFile>(&result)) {
      return GotFacts(project, release, BadMetadata{std::move(unreadable->clause)});
    }
    FactsResult facts = ReadFacts(std::get<std::string>(result), project, of, rules.target());
    auto* read = std::get_if<ReleaseFacts>(&facts);
    if (!wheel && read != nullptr && !read->metadata.DependenciesAreStatic()) {
      auto other = std::find_if(of.files.begin(), of.files.end(), [&](std::uint32_t at) {
        return IsWheel(project.page.filename(at));
      });
      if (other != of.files.end()) return FetchFacts(project, release, *other);
      facts =
          BadMetadata{"has only a source archive, whose dependencies are known once it is built"};
    }
    GotFacts(project, release, std::move(facts));
  });
}

void Catalog::State::GotFacts(const Project& project, std::size_t release, FactsResult result) {
  std::lock_guard lock(mutex);
  Entry& entry = At(project.name);
  entry.facts[release].result = std::move(result);
  if (entry.guess == release) Follow(entry);
  Finished();
}

void Catalog::State::Expect(const Dependency& dependency) {
  if (!dependency.url.empty()) return;
  Entry& entry = At(dependency.project);
  entry.wanted_extras.insert(dependency.extras.begin(), dependency.extras.end());
  if (!entry.first_range) entry.first_range = dependency.range;
  AskProject(dependency.project, entry);
  const Project* project = entry.project();
  if (project == nullptr) return;
  if (entry.guess) {
    Follow(entry);
  } else {
    Guess(*project, entry);
  }
}

// REQUIRES: the entry holds `project`.
void Catalog::State::Guess(const Project& project, Entry& entry) {
  if (entry.guess || !entry.first_range) return;
  specs::VersionRange range = *entry.first_range;
  for (int tries = 0; tries < kMaxGuesses; ++tries) {
    std::optional<std::size_t> release = rules.Pick(project, range);
    if (!release) return;
    if (std::holds_alternative<Usable>(UsabilityOf(project, entry, *release))) {
      entry.guess = release;
      AskFacts(project, entry, *release);
      if (entry.facts[*release].result) Follow(entry);
      return;
    }
    range =
        range.Intersect(specs::VersionRange::Only(project.releases[*release].version).Complement());
  }
}

// Expects what the guessed release needs, with all extras seen so far.
void Catalog::State::Follow(Entry& entry) {
  const std::optional<FactsResult>& result = entry.facts[*entry.guess].result;
  const ReleaseFacts* facts = result ? std::get_if<ReleaseFacts>(&*result) : nullptr;
  if (facts == nullptr || stopping) return;
  if (entry.followed_extras.insert("").second) {
    for (const Dependency& dependency : facts->dependencies) Expect(dependency);
  }
  // Expect may add extras to this very entry.
  std::set<std::string> wanted = entry.wanted_extras;
  for (const std::string& extra : wanted) {
    if (!entry.followed_extras.insert(extra).second) continue;
    for (const Dependency& dependency : DependenciesFor(facts->metadata, rules.target(), extra)) {
      Expect(dependency);
    }
  }
}

Catalog::Catalog(HttpClient& http, const CandidateRules& rules, std::vector<IndexConfig> indexes,
                 IndexClientOptions options)
    : state_(std::make_unique<State>(http, rules, std::move(indexes), options)) {}

Catalog::~Catalog() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.wait(lock, [&] { return state_->pending == 0; });
  lock.unlock();
  state_->executor.reset();
}

void Catalog::AddLocal(Project project, FactsResult facts) {
  std::lock_guard lock(state_->mutex);
  State::Entry& entry = state_->At(project.name);
  entry.asked = true;
  entry.usability.clear();
  State::FactsEntry& kept = entry.facts[0];
  kept.asked = true;
  kept.result = std::move(facts);
  entry.result = std::move(project);
}

void Catalog::Expect(const Dependency& dependency) {
  std::lock_guard lock(state_->mutex);
  state_->Expect(dependency);
}

bool Catalog::ExpectFacts(const std::string& project, std::size_t release) {
  std::lock_guard lock(state_->mutex);
  State::Entry& entry = state_->At(project);
  const Project* found = entry.project();
  return found != nullptr && state_->AskFacts(*found, entry, release);
}

const ProjectResult& Catalog::GetProject(const std::string& project) {
  std::unique_lock lock(state_->mutex);
  State::Entry& entry = state_->At(project);
  state_->AskProject(project, entry);
  state_->changed.wait(lock, [&] { return entry.result.has_value(); });
  return *entry.result;
}

const FactsResult& Catalog::GetFacts(const std::string& project, std::size_t release) {
  std::unique_lock lock(state_->mutex);
  State::Entry& entry = state_->At(project);
  state_->AskFacts(*entry.project(), entry, release);
  std::optional<FactsResult>& result = entry.facts[release].result;
  state_->changed.wait(lock, [&] { return result.has_value(); });
  return *result;
}

const Usability& Catalog::GetUsability(const std::string& project, std::size_t release) {
  std::lock_guard lock(state_->mutex);
  State::Entry& entry = state_->At(project);
  return state_->UsabilityOf(*entry.project(), entry, release);
}

const std::vector<IndexConfig>& Catalog::indexes() const { return state_->index.indexes(); }

}  // namespace imgbuild::builder
