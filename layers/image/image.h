// A finished image: documents in memory, layers as blobs of the store. Immutable; every output and
// report takes it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "layers/store/store.h"
#include "specs/oci/descriptor.h"
#include "specs/oci/image_config.h"
#include "specs/oci/manifest.h"

namespace imgbuild::layers {

struct PlatformImage {
  specs::Descriptor descriptor;  // of the manifest, with its platform
  specs::Manifest manifest;
  specs::ImageConfig config;
  std::vector<std::uint64_t> plain_sizes;  // of each layer's tar, bytes; 0 where it is not known
  // How many layers from the bottom are a base image's: the store may lack them, since whoever has
  // the base has them.
  std::size_t base_layers = 0;

  bool operator==(const PlatformImage&) const = default;
};

struct Image {
  specs::Descriptor root;  // the only platform's manifest, or an index over all of them
  std::vector<PlatformImage> platforms;

  bool operator==(const Image&) const = default;

  // Every blob that root leads to, root last, each digest once.
  std::vector<specs::Descriptor> Blobs() const;
};

// What PublishPlatform needs to know of a layer that is in the store.
struct ImageLayer {
  specs::Descriptor descriptor;
  specs::Sha256 diff_id;
  std::uint64_t plain_size = 0;
  std::string created_by;  // history: "imgbuild: python: numpy"
};

// Puts configuration and manifest into the store. `config` comes without diff ids and history.
PlatformImage PublishPlatform(Store& store, specs::ImageConfig config,
                              const std::vector<ImageLayer>& layers,
                              const std::map<std::string, std::string>& annotations);

// One platform is its own root; several get an index, which is put into the store.
Image PublishImage(Store& store, std::vector<PlatformImage> platforms,
                   const std::map<std::string, std::string>& annotations);

// What documents do not say of a platform's image.
struct PlatformRecord {
  std::vector<std::uint64_t> plain_sizes;
  std::size_t base_layers = 0;
};

// The image again from its root, for a result that was kept: nullopt where a blob other than a base
// image's layer is missing or is not what the descriptor says, or the documents are not such as we
// write.
std::optional<Image> FindImage(const Store& store, const specs::Descriptor& root,
                               const std::vector<PlatformRecord>& records);

}  // namespace imgbuild::layers
