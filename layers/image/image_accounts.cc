#include "layers/image/image_accounts.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "layers/image/layer_listing.h"
#include "layers/image/layer_stack.h"
#include "layers/io/file.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

constexpr const char* kPasswd = "etc/passwd";
constexpr const char* kGroup = "etc/group";

LayerListing ListStored(const Store& store, const specs::Descriptor& layer,
                        const specs::Sha256& diff_id) {
  const auto blob = store.FindBlob(layer.digest, layer.size);
  if (!blob) {
    throw specs::Error("a layer of the image is not in the cache").Found(layer.digest.Oci());
  }
  FileSource file(*blob);
  return ListLayer(file, diff_id);
}

}  // namespace

ImageAccounts ReadAccounts(const Store& store, const PlatformImage& image) {
  std::vector<LayerListing> listings;  // from the top
  const auto has = [&](const char* path) {
    return std::ranges::any_of(listings, [&](const LayerListing& listing) {
      return listing.facts.contents.contains(path);
    });
  };
  const std::vector<specs::Descriptor>& layers = image.manifest.layers;
  for (std::size_t i = layers.size(); i > 0 && !(has(kPasswd) && has(kGroup)); --i) {
    listings.push_back(ListStored(store, layers[i - 1], image.config.diff_ids.at(i - 1)));
  }
  std::vector<const PackageFacts*> bottom_first;
  for (auto listing = listings.rbegin(); listing != listings.rend(); ++listing) {
    bottom_first.push_back(&listing->facts);
  }
  PackageFacts all = StackLayers(bottom_first);
  return {.passwd = std::move(all.contents[kPasswd]), .group = std::move(all.contents[kGroup])};
}

}  // namespace imgbuild::layers
