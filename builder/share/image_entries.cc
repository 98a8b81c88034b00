#include "builder/share/image_entries.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "builder/assemble/recipe_annotations.h"
#include "layers/write/layer_info.h"
#include "specs/oci/document.h"
#include "specs/oci/image_config.h"
#include "specs/oci/manifest.h"

namespace imgbuild::builder {
namespace {

bool HasRecipes(const specs::Document& manifest) {
  return manifest.config && std::ranges::any_of(manifest.layers, [](const auto& layer) {
           return LayerRecipeOf(layer.descriptor.annotations).has_value();
         });
}

// Layers by their keys. The configuration has their diff ids.
void AddLayers(const specs::Document& manifest, const std::string& config, ImageEntries& found) {
  const std::vector<specs::Sha256> diff_ids =
      specs::ParseImageConfig(config, manifest.config->descriptor.digest.Oci()).diff_ids;
  if (diff_ids.size() != manifest.layers.size()) return;
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    const specs::Descriptor& layer = manifest.layers[i].descriptor;
    const std::optional<LayerRecipe> recipe = LayerRecipeOf(layer.annotations);
    if (!recipe) continue;
    found.entries.insert_or_assign(
        {EntryKind::kLayer, recipe->key},
        CacheEntry{.document = layers::RenderLayerInfo(
                       {layer.digest, layer.size, diff_ids[i], recipe->plain_size}),
                   .blobs = {{.name = "layer", .digest = layer.digest, .size = layer.size}}});
  }
}

EntryBlob Keep(std::string name, std::string bytes, ImageEntries& found) {
  EntryBlob blob{.name = std::move(name), .digest = specs::HashOf(bytes), .size = bytes.size()};
  found.documents.insert_or_assign(blob.digest, std::move(bytes));
  return blob;
}

}  // namespace

ImageEntries EntriesOfImage(const std::string& root, const ReadDocument& read_manifest,
                            const ReadDocument& read_config) {
  ImageEntries found;
  const specs::Document document = specs::ParseDocument(root, "the image");
  std::vector<std::string> manifests;
  if (document.kind == specs::DocumentKind::kManifest) {
    manifests.push_back(root);
  } else if (document.manifests.size() <= kMostSharedPlatforms) {
    for (const specs::DocumentLink& link : document.manifests) {
      manifests.push_back(read_manifest(link.descriptor));
    }
  }
  CacheEntry image;
  for (const std::string& text : manifests) {
    const specs::Document manifest = specs::ParseDocument(text, "the image");
    if (manifest.kind != specs::DocumentKind::kManifest || !HasRecipes(manifest)) continue;
    std::string config = read_config(manifest.config->descriptor);
    AddLayers(manifest, config, found);
    const std::size_t number = image.blobs.size() / 2;
    image.blobs.push_back(Keep(fmt::format("manifest.{}", number), text, found));
    image.blobs.push_back(Keep(fmt::format("config.{}", number), std::move(config), found));
  }
  const std::optional<specs::Sha256> key = ImageKeyOf(document.annotations);
  if (key && !manifests.empty() && image.blobs.size() == 2 * manifests.size()) {
    found.entries.emplace(EntryName{EntryKind::kImage, *key}, std::move(image));
  }
  return found;
}

}  // namespace imgbuild::builder
