// Finding, checking and making the lock of a spec.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "builder/cli/registry_access.h"
#include "builder/cli/session.h"
#include "layers/image/base_image.h"
#include "specs/env/loader.h"
#include "specs/env/lock.h"

namespace imgbuild::builder {

struct LockOptions {
  bool locked = false;  // refuse to resolve
  bool relock = false;  // resolve even where the lock matches
  bool upgrade_all = false;
  std::set<std::string> upgrades;
  // Of the image that the spec builds on, where it has to be read.
  layers::LayerBytes base_bytes = layers::LayerBytes::kPassed;
  RegistryOptions registry;
};

struct FoundLock {
  specs::Lock lock;
  std::string file;       // where it lies
  bool resolved = false;  // made now, not read
};

// The lock beside the spec if it matches, else a new one, which is written: NAME.lock, or
// NAME.local.lock where an overlay or --set changed what resolution depends on. Throws Error
// (kFailure) under `locked` where resolving would be needed, saying what changed.
FoundLock FindOrMakeLock(Session& session, const SpecOptions& spec_options,
                         const specs::LoadedSpec& loaded, const LockOptions& options);

// The lock beside the spec if it is there and matches; nothing is asked or written.
std::optional<specs::Lock> LockAtHand(Session& session, const SpecOptions& spec_options,
                                      const specs::LoadedSpec& loaded);

}  // namespace imgbuild::builder
