// Generated files on a base image: what an image's user, certificates and time zone need beside
// what the base has. Nothing of the base is executed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "builder/state/state.h"
#include "layers/image/base_image.h"

namespace imgbuild::builder {

struct BaseStateInput {
  const layers::BaseImage& base;
  std::string workdir = "/work";                    // absolute; made 0775 for the image's user
  std::optional<std::string> timezone;              // a file below usr/share/zoneinfo
  std::vector<ExtraCertificate> certificates = {};  // in the spec's order
};

// The base's accounts with the image's user (kUserId, with a home) where that number is not
// somebody's already; certificates added to the base's own. They win over the base's files. Throws
// Error for certificates where the base has no CA bundle, and for a workdir that is no path.
SystemState MakeBaseState(const BaseStateInput& input);

}  // namespace imgbuild::builder
