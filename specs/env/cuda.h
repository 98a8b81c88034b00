// The CUDA section as a switch: one lock covers both positions, and which of its packages an image
// has is decided here and nowhere else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "specs/env/lock.h"
#include "specs/env/spec.h"
#include "specs/oci/platform.h"

namespace imgbuild::specs {

// Of packages: LockedPackage::layer, ::only_with and, as a root, ::required_by.
inline constexpr std::string_view kCudaRoot = "cuda";

// The project whose wheels have nvcc, since CUDA 13.
inline constexpr std::string_view kNvccWheel = "nvidia-cuda-nvcc";

// Whether the spec has a CUDA section, enabled or not, that means something on the platform:
// there is one for linux/amd64 only.
bool CudaApplies(const CudaSection& section, const Platform& platform);

// Whether an image for the platform gets it.
bool CudaInForce(const CudaSection& section, const Platform& platform);

// What an image of the spec consists of: all packages where the section is in force, else those
// that are not only there for it, at the same versions: the lock as it would be without a section,
// but for layers of what something else needs as well. Throws Error (kUnresolvable), with what the
// lock says, where the section is enabled and could not be had.
LockedPlatform PackagesInForce(const CudaSection& section, const LockedPlatform& locked);

// A line for people on what becomes of the section on that platform: that it is left out, off, or
// what it brings. "" where there is nothing to say.
std::string CudaNote(const CudaSection& section, const LockedPlatform& locked);

// The same for each of the spec's platforms, where the section is enabled. REQUIRES: the lock has
// them.
std::vector<std::string> CudaNotes(const Spec& spec, const Lock& lock);

// What whoever gets an image of the spec has to know of the licence that Debian's toolkit is under;
// "" where that is in none of its platforms' images.
std::string CudaLicence(const Spec& spec);

}  // namespace imgbuild::specs
