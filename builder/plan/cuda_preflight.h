// What an image with CUDA in it asks of its host, and what is there twice or unasked: from the
// names and sizes in the lock, before anything is fetched.
#pragma once

#include <string>
#include <vector>

#include "specs/env/lock.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

struct CudaPreflight {
  // "cuda>=13.0", as NVIDIA_REQUIRE_CUDA has it: what the host's driver must offer. "" where the
  // image has no CUDA.
  std::string driver;
  // One sentence or two each: what it costs and what to change.
  std::vector<std::string> warnings;
};

// `locked` has the packages in force. Warned of are: libraries of two major versions; Debian's CUDA
// beside wheels; wheels of CUDA that other packages bring where the section is off.
CudaPreflight CheckCuda(const specs::Spec& spec, const specs::LockedPlatform& locked);

}  // namespace imgbuild::builder
