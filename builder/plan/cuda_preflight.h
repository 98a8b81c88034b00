// What an image with CUDA in it asks of its host, and what is there twice or unasked: from the
// names and sizes in the lock, before anything is fetched.
#pragma once

#include <string>
#include <vector>

#include "layers/image/base_image.h"
#include "specs/env/lock.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

struct CudaPreflight {
  // "13.0": the version of CUDA that the host's driver must support, which is that of the chosen
  // libraries as a whole. "" where the image has no CUDA, or where nothing tells its version.
  std::string driver;
  // One sentence or two each: what it costs and what to change.
  std::vector<std::string> warnings;
};

// `locked` has the packages in force. Warned of are: libraries of two major versions; Debian's CUDA
// beside wheels; wheels of CUDA that other packages bring where the section is off.
CudaPreflight CheckCuda(const specs::Spec& spec, const specs::LockedPlatform& locked);

// Of an image on a base: warnings of a CUDA in the base beside that of wheels, and of an nvcc for
// which the base has no host compiler.
std::vector<std::string> CheckCudaOnBase(const specs::Spec& spec,
                                         const specs::LockedPlatform& locked,
                                         const layers::BaseImage& base);

}  // namespace imgbuild::builder
