// What killed processes leave in the cache, and its removal while others work in it.
#pragma once

#include "layers/store/store_paths.h"

namespace imgbuild::layers {

// Removes, where nobody can be at it any more:
//   - files and folders below tmp/ that were not written to for a day,
//   - downloads that nobody went on with for two weeks,
//   - lock files older than a day that nobody holds.
// The last two are looked for once a day. Whatever cannot be removed stays.
void RemoveStale(const StorePaths& paths);

}  // namespace imgbuild::layers
