// All packages of one platform, ready to be laid into layers: downloads, unpacking, .pyc and
// compression overlap.
#pragma once

#include <functional>
#include <vector>

#include "builder/assemble/fetcher.h"
#include "builder/assemble/package_maker.h"
#include "builder/assemble/shared_cache.h"
#include "builder/ui/progress.h"

namespace imgbuild::builder {

// What packages are made with. Borrowed.
struct PackageTools {
  Fetcher& fetcher;
  layers::Executor& executor;
  Progress& progress;
  SharedCache* shared = nullptr;  // may be null
};

// In the order of `locked.packages`. What the store has is taken from there, and what the shared
// cache knows without its frame; the rest is fetched, largest first, and made as soon as it is
// there. Throws the first Error of any of them.
std::vector<ReadyPackage> PreparePackages(const specs::LockedPlatform& locked, PackageMaker& maker,
                                          const PackageTools& tools);

}  // namespace imgbuild::builder
