// The image's configuration, from the spec.
#pragma once

#include <string>
#include <vector>

#include "builder/assemble/gpu_code.h"
#include "layers/image/base_image.h"
#include "specs/env/lock.h"
#include "specs/env/spec.h"
#include "specs/oci/image_config.h"

namespace imgbuild::builder {

// A base image below, where there is one.
struct OnBase {
  const layers::BaseImage* base = nullptr;
  std::vector<std::string> library_dirs = {};  // for the dynamic linker, beside the base's own
};

// Without diff ids and history. Its time is that of the newest Release in the lock: a date that
// means something and does not depend on when the image was built.
specs::ImageConfig MakeImageConfig(const specs::Spec& spec, const specs::Lock& lock,
                                   const specs::Platform& platform, const OnBase& on = {});

// Labels that tell what CUDA there is in the image and what it asks of a host:
// "imgbuild.cuda.version" (as the spec has it, where the section is in force),
// "imgbuild.cuda.driver" ("cuda>=13.0"; that of the base where no package has CUDA),
// "imgbuild.cuda.code" and "imgbuild.cuda.code-in-some" (as RenderGpuCode has what all packages
// with GPU code have, and what only some have), and with provider "debian" "imgbuild.cuda.licence".
// The spec's own labels win. `base` may be null.
void AddCudaLabels(const specs::Spec& spec, const specs::LockedPlatform& locked,
                   const GpuCode& code, const layers::BaseImage* base, specs::ImageConfig& config);

// Whether those labels ask a host for a driver. They do for packages and bases, too, that bring
// CUDA without a section.
bool WantsCudaDriver(const specs::ImageConfig& config);

}  // namespace imgbuild::builder
