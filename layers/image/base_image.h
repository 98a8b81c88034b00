// An image to build on: what it says of itself, and what lies in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "layers/image/image.h"
#include "layers/image/image_origin.h"
#include "layers/store/store.h"
#include "layers/tree/facts.h"
#include "specs/oci/descriptor.h"
#include "specs/oci/foreign_config.h"
#include "specs/oci/platform.h"

namespace imgbuild::layers {

struct BaseImage {
  specs::Descriptor root;      // what the origin leads to: an index, or the manifest
  specs::Descriptor manifest;  // of the platform
  specs::ForeignConfig config;
  std::vector<ImageLayer> layers;  // from the bottom, with OCI's media types
  PackageFacts files;              // StackLayers of them all

  // Where an absolute path leads in it, relative to the root; nullopt where nothing is there.
  std::optional<std::string> Resolve(std::string_view path) const;
  // nullptr where nothing is at exactly this path.
  const FileFacts* File(std::string_view path) const;
  // A kept content, through links; nullptr where there is none.
  const std::string* Content(std::string_view path) const;
};

// Layers that were read before are not fetched: what lies in them is in the store, by digest, whose
// layers' own bytes may be gone. Throws Error where the image is not for the platform, where one
// of its layers is damaged, or of a kind that cannot be built on.
BaseImage ReadBaseImage(ImageOrigin& origin, Store& store, const specs::Platform& platform);

}  // namespace imgbuild::layers
