// Annotations on images that are made already: who built them from what, where they came from.
#pragma once

#include <map>
#include <string>

#include "layers/image/image_source.h"

namespace imgbuild::layers {

// The image with these annotations on its manifests and indexes (OCI image-spec v1.1,
// annotations.md), over those of the same keys. Layers and configurations stay as they are, so
// registries and engines that have them need nothing but the new documents. Throws Error where a
// document would grow too large for registries.
ImageSource Annotated(ImageSource image, const std::map<std::string, std::string>& annotations);

}  // namespace imgbuild::layers
