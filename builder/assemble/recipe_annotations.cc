#include "builder/assemble/recipe_annotations.h"

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

std::optional<specs::Sha256> KeyUnder(const char* name, const Annotations& annotations) {
  const auto found = annotations.find(name);
  if (found == annotations.end()) return std::nullopt;
  return specs::Sha256::Parse(found->second);
}

}  // namespace

Annotations LayerAnnotations(const LayerRecipe& recipe) {
  return {{kLayerKeyAnnotation, recipe.key.Hex()},
          {kPlainSizeAnnotation, std::to_string(recipe.plain_size)}};
}

std::optional<LayerRecipe> LayerRecipeOf(const Annotations& annotations) {
  const auto key = KeyUnder(kLayerKeyAnnotation, annotations);
  const auto size = annotations.find(kPlainSizeAnnotation);
  if (!key || size == annotations.end()) return std::nullopt;
  const auto plain_size = specs::ParseUnsigned(size->second);
  if (!plain_size) return std::nullopt;
  return LayerRecipe{*key, *plain_size};
}

std::optional<specs::Sha256> ImageKeyOf(const Annotations& annotations) {
  return KeyUnder(kImageKeyAnnotation, annotations);
}

}  // namespace imgbuild::builder
