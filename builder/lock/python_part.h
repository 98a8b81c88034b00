// The Python half of a lock.
#pragma once

#include <string>
#include <vector>

#include "builder/lock/cuda_part.h"
#include "builder/lock/debian_part.h"
#include "builder/lock/make_lock.h"
#include "builder/pypi/target.h"
#include "specs/env/lock.h"

namespace imgbuild::builder {

// The wheels of one platform by name, each with its layer: "cuda" for whatever the CUDA section
// needs, whether or not something else does too, so that the switch moves nothing between layers.
// Throws what ResolvePython and CudaRequirements throw.
std::vector<specs::LockedPackage> LockPython(const specs::LoadedSpec& loaded,
                                             const PythonTarget& target, const KeptVersions& kept,
                                             CudaPart cuda, LockContext& context);

}  // namespace imgbuild::builder
