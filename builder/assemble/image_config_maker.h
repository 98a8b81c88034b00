// The image's configuration, from the spec.
#pragma once

#include "specs/env/lock.h"
#include "specs/env/spec.h"
#include "specs/oci/image_config.h"

namespace imgbuild::builder {

// Without diff ids and history. Its time is that of the newest Release in the lock: a date that
// means something and does not depend on when the image was built.
specs::ImageConfig MakeImageConfig(const specs::Spec& spec, const specs::Lock& lock,
                                   const specs::Platform& platform);

}  // namespace imgbuild::builder
