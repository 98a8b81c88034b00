// One suite's InRelease: asked of the mirror when it is due, verified once for each
// keyring.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "builder/debian/release_file.h"
#include "builder/debian/repository.h"

namespace imgbuild::builder {

struct VerifiedRelease {
  ReleaseFile file;
  specs::Sha256 digest;     // of the verified text
  bool just_asked = false;  // the mirror confirmed it in this run
};

// A part of a suite set at its mirror, with its folder in the cache.
struct SuiteAtMirror {
  SuitePart part;
  SourceSetting mirror;
  std::filesystem::path folder;

  // "MIRROR/dists/bookworm-security"; may carry credentials.
  std::string url() const { return mirror.url + "/dists/" + part.name; }
};

class ReleaseSource {
 public:
  // Borrows everything for its life. The folder must exist.
  ReleaseSource(const SuiteAtMirror& suite, const RepositoryOptions& options, HttpClient& client,
                Progress& progress)
      : suite_(suite), options_(options), client_(client), progress_(progress) {}

  // What is cached where that is fresh or the network is not to be used, else Refresh().
  VerifiedRelease Get();

  // Asks the mirror, with the validators of what is cached; keeps what is cached where the mirror
  // has an older one.
  VerifiedRelease Refresh();

 private:
  struct Cached {
    VerifiedRelease release;
    specs::Sha256 raw;  // of InRelease as served
    std::int64_t checked = 0;
    std::string etag;
    std::string last_modified;
  };

  struct State {
    specs::Sha256 raw;
    specs::Sha256 release;
    std::string etag;
    std::string last_modified;
  };

  std::optional<Cached> ReadCached() const;
  void WriteState(const State& of) const;
  std::string Verify(std::string_view raw) const;
  VerifiedRelease Parsed(std::string_view verified) const;
  void CheckIdentity(const ReleaseFile& release) const;
  void CheckDates(const ReleaseFile& release) const;
  HttpResponse Ask(const std::optional<Cached>& cached) const;
  bool IsExpired(const ReleaseFile& release) const {
    return release.valid_until && *release.valid_until < options_.now;
  }

  const SuiteAtMirror& suite_;
  const RepositoryOptions& options_;
  HttpClient& client_;
  Progress& progress_;
};

}  // namespace imgbuild::builder
