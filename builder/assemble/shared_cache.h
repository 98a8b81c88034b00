// What other machines made of the same recipes: the seam behind --cache-from.
//
// A key says what something claims to be, so whoever implements this asks only places that a user
// named. What is promised here comes as bytes when somebody needs them, and is compared with its
// digest then. A place that is down, slow or wrong costs a warning: nothing here throws for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "layers/image/image.h"
#include "layers/store/store.h"
#include "layers/write/layer.h"
#include "specs/base/digest.h"
#include "specs/oci/image_config.h"

namespace imgbuild::builder {

struct SharedPlatform {
  specs::ImageConfig config;               // one diff id and line of history for each layer
  std::vector<layers::ImageLayer> layers;  // annotated as a build annotates them
  // How many of them, from the bottom, have no recipe: layers of a base image.
  std::size_t without_recipe = 0;
};

// Thread-safe.
class SharedCache {
 public:
  virtual ~SharedCache() = default;

  // The platforms of the image, in its order.
  virtual std::optional<std::vector<SharedPlatform>> FindImage(const specs::Sha256& key) = 0;
  virtual std::optional<layers::LayerInfo> FindLayer(const specs::Sha256& key) = 0;
  // For each key what layers::RenderPackage gave, nullopt where nobody has it.
  virtual std::vector<std::optional<std::string>> FindPackages(
      const std::vector<specs::Sha256>& keys, std::string_view codec) = 0;
  // For each layers::ListingKey what a store keeps under it, nullopt where nobody has it.
  virtual std::vector<std::optional<std::string>> FindListings(
      const std::vector<specs::Sha256>& keys) = 0;

  // Whether the store has them all now. What could not be had is not promised again.
  virtual bool FetchBlobs(const std::vector<specs::Descriptor>& blobs, layers::Store& store) = 0;
  virtual bool FetchFrames(const std::vector<layers::FrameRecord>& frames,
                           layers::Store& store) = 0;
  // Those that somebody has: whether the store has one shows there.
  virtual void FetchArchives(const std::vector<specs::Sha256>& archives, layers::Store& store) = 0;
};

}  // namespace imgbuild::builder
