// Resolving: from a spec to a lock. One of the few places that ask the network what exists.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "builder/base/base_images.h"
#include "builder/debian/repository.h"
#include "builder/net/http_client.h"
#include "builder/pypi/index_config.h"
#include "builder/pypi/resolver.h"
#include "builder/ui/progress.h"
#include "specs/env/loader.h"
#include "specs/env/lock.h"

namespace imgbuild::builder {

struct LockRequest {
  const specs::LoadedSpec& loaded;
  const specs::Lock* previous = nullptr;  // its versions are kept where they still fit
  // Those that the spec itself names, whatever `loaded` was narrowed to: a lock covers them all.
  std::vector<specs::Platform> own_platforms;
  // Other platforms of the previous lock are resolved, too, where it is one of the same inputs: who
  // builds for one platform leaves the others their lock.
  bool keep_platforms = false;
  bool upgrade_all = false;        // forget the previous versions
  std::set<std::string> upgrades;  // forget those of these packages, debs and wheels alike
  std::string packer;              // version of this program, for information
};

// What resolving talks to. Borrowed.
struct LockContext {
  HttpClient& http;
  Repository& repository;              // of the spec's suite; where it builds on an image, of the
                                       // one whose Python compiles for it
  std::vector<IndexConfig> indexes;    // in order; the default one last
  std::filesystem::path python_cache;  // index pages and metadata
  Connectivity connectivity = Connectivity::kOnline;
  std::int64_t now = 0;  // seconds since the epoch
  Progress& progress;
  BaseImages* base = nullptr;  // where the spec builds on an image
};

// All platforms, and the compilers for every host. They share versions: one that an earlier lock
// does not hold to a version takes that of the others where it fits. The spec's own platforms lead,
// each group in the order of their names, so that asking for another one moves nothing in them, and
// the first has the newest versions that there are for it. Throws Error:
// kUnresolvable with the explanation and the platform; kUsage for requirements that cannot be
// honoured; what Repository and ResolvePython throw.
specs::Lock MakeLock(const LockRequest& request, LockContext context);

// Whether the lock is one of this spec: same inputs, all platforms there.
bool LockMatches(const specs::Lock& lock, const specs::Spec& spec);

}  // namespace imgbuild::builder
