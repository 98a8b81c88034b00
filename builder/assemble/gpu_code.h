// Which GPUs the libraries of an image have code for: known once its packages were unpacked, and
// kept so that a plan can tell it later.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>

#include "builder/assemble/package_maker.h"
#include "layers/store/store.h"
#include "specs/env/lock.h"

namespace imgbuild::builder {

// Of all packages together: "sm_75", "compute_120". Keeps it for KnownGpuCode.
std::set<std::string> CollectGpuCode(std::span<const ReadyPackage> packages,
                                     const specs::LockedPlatform& locked, layers::Store& store);

// nullopt where no image of exactly these packages was built from the store.
std::optional<std::set<std::string>> KnownGpuCode(const specs::LockedPlatform& locked,
                                                  const layers::Store& store);

// "sm_75 sm_80 sm_100 compute_120": machine code by number, then PTX.
std::string RenderGpuCode(const std::set<std::string>& code);

}  // namespace imgbuild::builder
