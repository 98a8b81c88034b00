#include "specs/env/cuda.h"

#include <fmt/core.h>

#include "specs/base/error.h"

namespace imgbuild::specs {

bool CudaApplies(const CudaSection& section, const Platform& platform) {
  return !section.version.empty() && platform.architecture == Architecture::kAmd64;
}

bool CudaInForce(const CudaSection& section, const Platform& platform) {
  return section.enabled && CudaApplies(section, platform);
}

LockedPlatform PackagesInForce(const CudaSection& section, const LockedPlatform& locked) {
  const bool cuda = CudaInForce(section, locked.platform);
  if (cuda && !locked.cuda_problem.empty()) {
    throw Error(ErrorKind::kUnresolvable,
                fmt::format("the CUDA section cannot be had:\n{}", locked.cuda_problem))
        .Hint("change [cuda] or what conflicts with it, or turn it off: --set cuda.enabled=false");
  }
  if (cuda) return locked;
  LockedPlatform off = locked;
  std::erase_if(off.packages,
                [](const LockedPackage& package) { return package.only_with == kCudaRoot; });
  return off;
}

}  // namespace imgbuild::specs
