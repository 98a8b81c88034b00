// All packages of one platform, ready to be laid into layers: downloads, unpacking, .pyc and
// compression overlap.
#pragma once

#include <functional>
#include <vector>

#include "builder/assemble/fetcher.h"
#include "builder/assemble/package_maker.h"
#include "builder/ui/progress.h"

namespace imgbuild::builder {

// In the order of `locked.packages`. What the store has is taken from there; the rest is fetched,
// largest first, and made as soon as it is there. Throws the first Error of any of them.
std::vector<ReadyPackage> PreparePackages(const specs::LockedPlatform& locked, PackageMaker& maker,
                                          Fetcher& fetcher, layers::Executor& executor,
                                          Progress& progress);

}  // namespace imgbuild::builder
