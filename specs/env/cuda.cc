#include "specs/env/cuda.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "specs/base/error.h"
#include "specs/base/text.h"

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
        .Hint(
            "change [cuda] or what conflicts with it; where the index has changed since, lock "
            "anew: "
            "imgbuild lock; or turn it off: --set cuda.enabled=false");
  }
  if (cuda) return locked;
  LockedPlatform off = locked;
  std::set<std::pair<PackageKind, std::string_view>> gone;
  for (const LockedPackage& package : locked.packages) {
    if (package.only_with == kCudaRoot) gone.emplace(package.kind, package.name);
  }
  std::erase_if(off.packages,
                [](const LockedPackage& package) { return package.only_with == kCudaRoot; });
  for (LockedPackage& package : off.packages) {
    std::erase_if(package.required_by, [&](const std::string& by) {
      return by == kCudaRoot || gone.contains({package.kind, by});
    });
  }
  return off;
}

std::string CudaNote(const CudaSection& section, const LockedPlatform& locked) {
  if (section.version.empty()) return "";
  const std::string what =
      fmt::format("CUDA {} ({})", section.version, Join(section.components, ", "));
  if (!CudaApplies(section, locked.platform)) {
    if (!section.enabled) return "";
    return fmt::format("{} is left out: there is none for {}", what, locked.platform.Render());
  }
  if (!locked.cuda_problem.empty()) return fmt::format("{} is off and cannot be had", what);
  const auto count =
      std::count_if(locked.packages.begin(), locked.packages.end(),
                    [](const LockedPackage& package) { return package.only_with == kCudaRoot; });
  return fmt::format("{} is {} ({})", what, section.enabled ? "on" : "off",
                     Count(static_cast<std::uint64_t>(count), "package"));
}

std::vector<std::string> CudaNotes(const Spec& spec, const Lock& lock) {
  std::vector<std::string> notes;
  if (!spec.cuda.enabled) return notes;
  for (const Platform& platform : spec.image.platforms) {
    notes.push_back(CudaNote(spec.cuda, LockedFor(lock, platform)));
  }
  return notes;
}

std::string CudaLicence(const Spec& spec) {
  const bool is_there = std::ranges::any_of(spec.image.platforms, [&](const Platform& platform) {
    return CudaInForce(spec.cuda, platform);
  });
  if (!is_there || spec.cuda.provider != "debian") return "";
  return "CUDA from Debian's component non-free comes under NVIDIA's licence, which restricts how "
         "it is used and passed on: /usr/share/doc/nvidia-cuda-toolkit/copyright in the image";
}

}  // namespace imgbuild::specs
