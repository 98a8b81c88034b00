// Recipe keys on what we publish (OCI image-spec v1.1, annotations.md), by which machines that have
// nothing find what others made:
//
//   imgbuild.image.key         on an image's manifest, or on its index where it has several
//   platforms imgbuild.layer.key         on a layer's descriptor imgbuild.layer.plain-size  there
//   too: bytes of its tar
//
// They claim, and prove nothing: only places that a user named are believed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "specs/base/digest.h"

namespace imgbuild::builder {

inline constexpr char kImageKeyAnnotation[] = "imgbuild.image.key";
inline constexpr char kLayerKeyAnnotation[] = "imgbuild.layer.key";
inline constexpr char kPlainSizeAnnotation[] = "imgbuild.layer.plain-size";

using Annotations = std::map<std::string, std::string>;

struct LayerRecipe {
  specs::Sha256 key;
  std::uint64_t plain_size = 0;

  bool operator==(const LayerRecipe&) const = default;
};

// LayerRecipeOf(LayerAnnotations(recipe)) == recipe. Others beside them are passed over; nullopt
// where ours are missing or no such values.
Annotations LayerAnnotations(const LayerRecipe& recipe);
std::optional<LayerRecipe> LayerRecipeOf(const Annotations& annotations);

std::optional<specs::Sha256> ImageKeyOf(const Annotations& annotations);

}  // namespace imgbuild::builder
