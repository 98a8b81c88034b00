// The images that a spec builds on, one for each platform: the seam between what needs to know of
// them and what gets them.
#pragma once

#include "layers/image/base_image.h"
#include "specs/oci/platform.h"

namespace imgbuild::builder {

class BaseImages {
 public:
  virtual ~BaseImages() = default;

  // Read when it is first asked for. Throws Error where there is none for the platform.
  virtual const layers::BaseImage& For(const specs::Platform& platform) = 0;
  // The same, as layers::OutlineBaseImage gives it.
  virtual const layers::BaseImage& Outline(const specs::Platform& platform) = 0;
};

}  // namespace imgbuild::builder
