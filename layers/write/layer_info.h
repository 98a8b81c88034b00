// What a layer is to those who refer to it: a descriptor's digest and size, a config's diff id (OCI
// image-spec, layer.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "specs/base/digest.h"

namespace imgbuild::layers {

struct LayerInfo {
  specs::Sha256 digest;                 // of the blob
  std::uint64_t size = 0;               // of the blob
  specs::Sha256 diff_id;                // of the plain tar
  std::uint64_t uncompressed_size = 0;  // of the plain tar

  bool operator==(const LayerInfo&) const = default;
};

// The four in their order, with spaces between them. nullopt for anything else.
std::string RenderLayerInfo(const LayerInfo& info);
std::optional<LayerInfo> ParseLayerInfo(std::string_view text);

}  // namespace imgbuild::layers
