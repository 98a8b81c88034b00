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
#include "specs/base/digest.h"
#include "specs/oci/descriptor.h"
#include "specs/oci/foreign_config.h"
#include "specs/oci/platform.h"

namespace imgbuild::layers {

struct BaseImage {
  specs::Descriptor root;      // what the origin leads to: an index, or the manifest
  specs::Descriptor manifest;  // of the platform
  specs::ForeignConfig config;
  // From the bottom, with OCI's media types; plain sizes are 0 as long as no layer was read.
  std::vector<ImageLayer> layers;
  PackageFacts files;  // StackLayers of them all

  // Where an absolute path leads in it, relative to the root; nullopt where nothing is there.
  std::optional<std::string> Resolve(std::string_view path) const;
  // nullptr where nothing is at exactly this path.
  const FileFacts* File(std::string_view path) const;
  // A kept content, through links; nullptr where there is none.
  const std::string* Content(std::string_view path) const;
};

// What its documents say, without `files`: no layer is read. Throws Error where the image is not
// for the platform, or is of a kind that cannot be built on.
BaseImage OutlineBaseImage(ImageOrigin& origin, const specs::Platform& platform);

// Where the bytes of layers stay that have to be read.
enum class LayerBytes {
  kKept,    // in the store, if they came from far: something will need them
  kPassed,  // nowhere: they are listed while they come
};

// The whole of it. Layers that were read before are not fetched: what lies in them is in the store,
// by ListingKey, whose layers' own bytes may be gone. Throws Error as above, and where a layer is
// damaged.
BaseImage ReadBaseImage(ImageOrigin& origin, Store& store, const specs::Platform& platform,
                        LayerBytes bytes = LayerBytes::kKept);

// The action under which a store keeps what lies in a layer.
specs::Sha256 ListingKey(const specs::Sha256& layer, const specs::Sha256& diff_id);
// Keeps what another machine found there. Whether it is in the form that a listing has.
bool AdoptListing(Store& store, const specs::Sha256& key, std::string_view text);

}  // namespace imgbuild::layers
