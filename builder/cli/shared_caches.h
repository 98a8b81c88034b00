// --cache-from and --cache-to: from what users write to the places themselves.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "builder/assemble/build_image.h"
#include "builder/cli/command_line.h"
#include "builder/cli/registry_access.h"
#include "builder/cli/session.h"
#include "builder/share/cache_target.h"
#include "builder/share/shared_places.h"

namespace imgbuild::builder {

struct CacheOptions {
  std::vector<std::string> from;
  std::vector<std::string> to;
  bool archives = false;  // go to the caches, too
};

void AddCacheOptions(Command command, CacheOptions& options);

// The places of --cache-from, then those of the configuration; null where there are none, or no
// network to reach them. "docker://HOST/NAME[:TAG]", or the URL of an HTTP cache. Throws Error
// (kUsage) for anything else.
std::unique_ptr<SharedPlaces> OpenSharedCaches(Session& session, const CacheOptions& options,
                                               const RegistryOptions& registry);

// Throws Error (kUsage) for a --cache-to that is no such place.
void CheckExports(const CacheOptions& options);

// Gives every --cache-to what it lacks of the build. One that fails is told of in a warning.
std::vector<ExportResult> ExportTo(Session& session, const CacheOptions& options,
                                   const RegistryOptions& registry, const BuiltImage& built,
                                   const BuildInputs& inputs);

}  // namespace imgbuild::builder
