// --cache-from and --cache-to: from what users write to the places themselves.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "builder/cli/registry_access.h"
#include "builder/cli/session.h"
#include "builder/share/shared_places.h"

namespace CLI {
class App;
}

namespace imgbuild::builder {

struct CacheOptions {
  std::vector<std::string> from;
};

void AddCacheOptions(CLI::App& command, CacheOptions& options);

// The places of --cache-from, then those of the configuration; null where there are none, or no
// network to reach them. "docker://HOST/NAME[:TAG]", or the URL of an HTTP cache. Throws Error
// (kUsage) for anything else.
std::unique_ptr<SharedPlaces> OpenSharedCaches(Session& session, const CacheOptions& options,
                                               const RegistryOptions& registry);

}  // namespace imgbuild::builder
