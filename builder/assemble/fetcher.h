// Archives into the store: parallel, resumed, verified while they arrive.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "builder/assemble/archive_locator.h"
#include "builder/assemble/shared_cache.h"
#include "builder/net/http_client.h"
#include "builder/ui/progress.h"
#include "layers/store/store.h"
#include "specs/env/lock.h"

namespace imgbuild::builder {

enum class NetworkPolicy { kAllowed, kForbidden };

struct FetcherOptions {
  NetworkPolicy network = NetworkPolicy::kAllowed;
  std::string spec_file;                            // for messages
  std::map<std::string, std::string> local_wheels;  // the spec's, by file name
  SharedCache* shared = nullptr;                    // asked before mirrors and indexes; may be null
};

class Fetcher {
 public:
  using Result = std::variant<std::filesystem::path, specs::Error>;

  // Borrows everything for its life. `http` and `locator` make what they are named after when
  // first needed: a build whose archives are all cached opens no connection.
  Fetcher(layers::Store& store, std::function<HttpClient&()> http,
          std::function<ArchiveLocator&()> locator, Progress& progress, FetcherOptions options);
  ~Fetcher();

  NetworkPolicy network() const;

  // What is missing in the store of `packages`. Under kForbidden throws Error that lists it.
  std::vector<const specs::LockedPackage*> Missing(
      const std::vector<const specs::LockedPackage*>& packages) const;

  // Fetches all of `packages`, which must outlive the calls of `done`: for each once, on any
  // thread, as soon as it is in the store; `done` does not throw. Returns when the last was
  // started: so many are under way at once that a limit of 256 open files is enough, whatever their
  // number. Not to be called on the client's thread. Where Fetch throws instead, nothing was
  // started. `wanted`, where given, is asked on any thread while bytes arrive: once it
  // says no, what is under way ends with an Error, and what came so far is kept for another run.
  using Done = std::function<void(const specs::LockedPackage&, Result)>;
  using Wanted = std::function<bool()>;
  void Fetch(const std::vector<const specs::LockedPackage*>& packages, Done done,
             Wanted wanted = {});

  // One, and wait.
  std::filesystem::path FetchNow(const specs::LockedPackage& package);

  // Whether the archive in the store is what was fetched; it is removed there where it is not.
  bool Recheck(const specs::LockedPackage& package);

 private:
  class Transfer;
  struct Shared;
  void TakeLocal(const specs::LockedPackage& package);
  void TakeShared(const std::vector<const specs::LockedPackage*>& packages);

  std::shared_ptr<Shared> shared_;
};

}  // namespace imgbuild::builder
