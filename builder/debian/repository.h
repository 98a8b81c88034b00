// A Debian suite with its updates and security suites: fetched, verified, compiled, cached
// (Debian wiki, DebianRepository/Format; apt-secure(8)).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "builder/debian/openpgp.h"
#include "builder/debian/package_index.h"
#include "builder/host/package_sources.h"
#include "builder/net/http_client.h"
#include "builder/ui/progress.h"
#include "specs/env/lock.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

enum class NetworkUse { kOnline, kOffline };

struct RepositoryOptions {
  DebianMirrors mirrors;
  Keyring keyring;              // HostDebianKeyring() or the user's
  std::filesystem::path cache;  // created where it is missing
  NetworkUse network = NetworkUse::kOnline;
  std::int64_t now = 0;          // seconds since the epoch
  std::int64_t fresh_for = 300;  // seconds until a Release is asked for again
};

// One part of a suite set.
struct SuitePart {
  enum class Archive { kMain, kSecurity } archive = Archive::kMain;
  std::string name;  // "bookworm", "bookworm-updates", "bookworm-security"
};

// In order of preference among equal versions.
std::vector<SuitePart> PartsOf(specs::Suite suite);

// "bookworm-security" + "main": "bookworm-security/main", the name in locks and images.
std::string LogicalSource(std::string_view part, std::string_view component);

class Repository {
 public:
  // Borrows both for its life. Does nothing yet.
  Repository(specs::Suite suite, RepositoryOptions options, HttpClient& client, Progress& progress);
  ~Repository();
  Repository(const Repository&) = delete;
  Repository& operator=(const Repository&) = delete;

  // Every part's packages for one machine: of the archive's component main, and of the others that
  // are named. Fetches what is not cached, all parts at once; what is cached and fresh costs
  // milliseconds. Throws Error: unreachable mirror (what was tried, from which setting), bad
  // signature, expired or foreign Release, wrong hash (kVerification); a component that suite or
  // mirror has not (kUnresolvable); offline: what is missing. The index outlives the Repository.
  // Not thread-safe.
  PackageIndex Load(specs::Architecture architecture, std::span<const std::string> beside = {});
  // The same for several at once, in their order: lists are decompressed and compiled side by side.
  std::vector<PackageIndex> LoadAll(std::span<const specs::Architecture> architectures,
                                    std::span<const std::string> beside = {});

  // The Release files that Load used, by name, for the lock. REQUIRES: Load was called.
  std::vector<specs::LockedSuite> suites() const;

 private:
  class Part;
  std::vector<std::unique_ptr<Part>> parts_;
};

}  // namespace imgbuild::builder
