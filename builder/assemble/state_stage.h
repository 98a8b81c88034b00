// Generated files of one platform: what Debian's scripts would have left behind, or what an image
// needs on top of a base image.
#pragma once

#include <string>
#include <vector>

#include "builder/assemble/build_image.h"
#include "builder/assemble/package_maker.h"
#include "builder/assemble/platform_build.h"
#include "layers/image/base_image.h"
#include "layers/tree/file_tree.h"

namespace imgbuild::builder {

struct StateStage {
  // Follows from Debian's packages, or from the base, alone; not from packages that are only there
  // for the CUDA section, so that its switch leaves this as it is.
  layers::ContentTree system;
  // Lies over it: what follows from those, and from others: the linker's cache, the view of CUDA.
  layers::ContentTree state;
  std::vector<std::string> warnings;
  // Absolute folders that the dynamic linker has to be told of by LD_LIBRARY_PATH, since a base's
  // own cache stays as it is.
  std::vector<std::string> library_dirs;
};

// `base` is null for an image of Debian packages.
StateStage MakeState(const BuildRequest& request, const specs::Platform& platform,
                     const std::vector<ReadyPackage>& packages, const UserContent& user,
                     const layers::BaseImage* base);

}  // namespace imgbuild::builder
