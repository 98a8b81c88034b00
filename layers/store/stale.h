// What killed processes leave in the cache, and its removal while others work in it.
#pragma once

#include "layers/io/file.h"
#include "layers/store/store_paths.h"

namespace imgbuild::layers {

// Says to other processes that this one works in the cache, for as long as the descriptor is open
// (flock(2)), and removes what nobody can be at any more:
//   - all below tmp/ where no other process works in the cache; else what was not written to for a
//     day,
//   - downloads that nobody went on with for two weeks,
//   - lock files older than a day that nobody holds.
// The last two are looked for once a day. Whatever cannot be removed stays.
[[nodiscard]] FileDescriptor EnterAndRemoveStale(const StorePaths& paths);

// Whether `presence` is the only one; others wait in EnterAndRemoveStale from then on. Where it is
// not, it counts no more before BeOneOfMany.
bool TryToBeAlone(const FileDescriptor& presence);
void BeOneOfMany(const FileDescriptor& presence);

}  // namespace imgbuild::layers
