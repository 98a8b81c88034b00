// Which GPUs the libraries of an image have code for: known once its packages were unpacked, and
// kept so that a plan can tell it later. An image runs on a GPU for which each of them has some.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>

#include "builder/assemble/package_maker.h"
#include "layers/store/store.h"
#include "specs/env/lock.h"

namespace imgbuild::builder {

// "sm_75", "compute_120". Packages without GPU code count for nothing.
struct GpuCode {
  std::set<std::string> every;  // where each package runs, by this code, earlier or PTX
  std::set<std::string> some;   // where only some of them do

  bool operator==(const GpuCode&) const = default;
};

// Keeps it for KnownGpuCode.
GpuCode CollectGpuCode(std::span<const ReadyPackage> packages, const specs::LockedPlatform& locked,
                       layers::Store& store);

// nullopt where no image of exactly these packages was built from the store, or it has none.
std::optional<GpuCode> KnownGpuCode(const specs::LockedPlatform& locked,
                                    const layers::Store& store);

// "sm_75 sm_80 sm_100 compute_120": machine code by number, then PTX.
std::string RenderGpuCode(const std::set<std::string>& code);

// "sm_80 sm_90 in all libraries; in some also sm_50 compute_90".
std::string DescribeGpuCode(const GpuCode& code);

}  // namespace imgbuild::builder
