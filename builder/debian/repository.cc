#include "builder/debian/repository.h"

#include <future>

#include <fmt/format.h>

#include "builder/debian/packages_source.h"
#include "builder/debian/release_source.h"
#include "layers/io/file.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

// Two mirrors may hold different states of a suite, so each has its folder; what is shown and
// cached of a mirror never includes its credentials.
std::filesystem::path FolderFor(const std::filesystem::path& cache, const SuitePart& part,
                                const SourceSetting& mirror) {
  std::string mirror_id = specs::HashOf(RedactUrl(mirror.url)).Hex().substr(0, 12);
  return cache / fmt::format("{}-{}", part.name, mirror_id);
}

}  // namespace

std::vector<SuitePart> PartsOf(specs::Suite suite) {
  using Archive = SuitePart::Archive;
  std::string name = suite == specs::Suite::kBookworm ? "bookworm" : "trixie";
  return {{Archive::kMain, name},
          {Archive::kMain, name + "-updates"},
          {Archive::kSecurity, name + "-security"}};
}

std::string LogicalSource(std::string_view part, std::string_view component) {
  return fmt::format("{}/{}", part, component);
}

// One part of the suite set with the Release file that every Load of this object uses.
class Repository::Part {
 public:
  Part(SuiteAtMirror suite, std::shared_ptr<const RepositoryOptions> options, HttpClient& client,
       Progress& progress)
      : suite_(std::move(suite)),
        options_(std::move(options)),
        client_(client),
        progress_(progress),
        source_(suite_, *options_, client_, progress_) {}

  // What each architecture has of this part.
  using Tables = std::vector<std::vector<PackageSource>>;

  Tables Load(std::span<const specs::Architecture> architectures,
              const std::vector<std::string>& components) {
    if (!release_) {
      CreateFolder();
      release_ = source_.Get();
    }
    try {
      return LoadTables(architectures, components);
    } catch (const specs::Error&) {
      // A mirror drops old package lists: what was fresh minutes ago may have just been replaced.
      if (release_->just_asked || options_->network == NetworkUse::kOffline || loaded_) throw;
      VerifiedRelease newer = source_.Refresh();
      bool same = newer.digest == release_->digest;
      release_ = std::move(newer);
      if (same) throw;
    }
    return LoadTables(architectures, components);
  }

  specs::LockedSuite Locked() const {
    return {suite_.part.name, Rfc3339(release_->file.date), release_->digest};
  }

 private:
  void CreateFolder() const {
    std::error_code error;
    std::filesystem::create_directories(suite_.folder, error);
    if (error) throw layers::FileError("create", suite_.folder, error.value());
  }

  Tables LoadTables(std::span<const specs::Architecture> architectures,
                    const std::vector<std::string>& components) {
    std::vector<std::future<std::vector<PackageSource>>> loads;
    for (specs::Architecture architecture : architectures) {
      loads.push_back(std::async(std::launch::async, [this, architecture, &components] {
        return LoadComponents(architecture, components);
      }));
    }
    Tables tables;
    for (auto& load : loads) tables.push_back(load.get());
    loaded_ = true;
    return tables;
  }

  std::vector<PackageSource> LoadComponents(specs::Architecture architecture,
                                            const std::vector<std::string>& components) const {
    std::vector<PackageSource> sources;
    for (const std::string& component : components) {
      PackagesRequest request{suite_, release_->file, component, architecture, options_->network};
      sources.push_back(
          {LogicalSource(suite_.part.name, component), LoadPackages(request, client_, progress_)});
    }
    return sources;
  }

  SuiteAtMirror suite_;
  std::shared_ptr<const RepositoryOptions> options_;
  HttpClient& client_;
  Progress& progress_;
  ReleaseSource source_;
  std::optional<VerifiedRelease> release_;
  bool loaded_ = false;  // tables of this Release were handed out: it may not change any more
};

Repository::Repository(specs::Suite suite, RepositoryOptions options, HttpClient& client,
                       Progress& progress) {
  auto shared = std::make_shared<const RepositoryOptions>(std::move(options));
  for (SuitePart& part : PartsOf(suite)) {
    const SourceSetting& mirror = part.archive == SuitePart::Archive::kSecurity
                                      ? shared->mirrors.security
                                      : shared->mirrors.archive;
    SuiteAtMirror at{part, mirror, FolderFor(shared->cache, part, mirror)};
    parts_.push_back(std::make_unique<Part>(std::move(at), shared, client, progress));
  }
}

Repository::~Repository() = default;

PackageIndex Repository::Load(specs::Architecture architecture,
                              std::span<const std::string> beside) {
  return std::move(LoadAll({&architecture, 1}, beside).front());
}

std::vector<PackageIndex> Repository::LoadAll(std::span<const specs::Architecture> architectures,
                                              std::span<const std::string> beside) {
  std::vector<std::string> components = {"main"};
  components.insert(components.end(), beside.begin(), beside.end());
  // Each part waits for its mirror most of the time: a thread of its own.
  std::vector<std::future<Part::Tables>> loads;
  for (const std::unique_ptr<Part>& part : parts_) {
    loads.push_back(std::async(std::launch::async, [&part, &components, architectures] {
      return part->Load(architectures, components);
    }));
  }
  std::vector<std::vector<PackageSource>> sources(architectures.size());
  for (auto& load : loads) {
    Part::Tables tables = load.get();
    for (std::size_t i = 0; i < tables.size(); ++i) {
      for (PackageSource& source : tables[i]) sources[i].push_back(std::move(source));
    }
  }
  std::vector<PackageIndex> indexes;
  for (auto& list : sources) indexes.emplace_back(std::move(list));
  return indexes;
}

std::vector<specs::LockedSuite> Repository::suites() const {
  std::vector<specs::LockedSuite> suites;
  for (const std::unique_ptr<Part>& part : parts_) suites.push_back(part->Locked());
  return suites;
}

}  // namespace imgbuild::builder
