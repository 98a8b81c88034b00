// Layers from frames: what the store has is taken, the rest is concatenated.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "builder/assemble/layer_parts.h"
#include "builder/assemble/shared_cache.h"
#include "builder/ui/progress.h"
#include "layers/image/image.h"
#include "layers/tree/file_tree.h"
#include "layers/tree/tree_union.h"
#include "layers/write/compress.h"
#include "layers/write/layer.h"

namespace imgbuild::builder {

// Versions how layers are put together.
inline constexpr std::string_view kLayerVersion = "layer/1";

// What one layer is made of. Borrowed for the call.
struct LayerContent {
  std::string name;
  std::vector<layers::OwnerId> owners;         // in the tree, in install order
  std::vector<PackagePart> packages;           // with the owners, for packages
  const layers::ContentTree* files = nullptr;  // or, for files and state, their tree
};

struct MadeLayer {
  layers::ImageLayer layer;
  std::string name;
  bool made = false;    // in this run
  bool shared = false;  // promised by the shared cache: the store may lack its bytes
  bool base = false;    // of the base image, as it is: the store may lack its bytes
};

// Told of each layer as soon as it is in the store, or known to the shared cache, from any thread.
using LayerListener = std::function<void(const layers::ImageLayer& layer)>;

// What layers are made with. Borrowed.
struct LayerTools {
  layers::Store& store;
  const layers::Codec& codec;
  layers::Executor& executor;
  Progress& progress;
  const LayerListener& listener;  // may be empty
  SharedCache* shared = nullptr;  // may be null
};

// All layers of one platform, in order, made in parallel.
std::vector<MadeLayer> MakeLayers(const std::vector<LayerContent>& contents,
                                  const layers::FileTree& tree, const LayerTools& tools);

// What the store has of a layer of that content; nullopt where it has to be made.
std::optional<layers::LayerInfo> FindMadeLayer(const LayerContent& content,
                                               const layers::FileTree& tree,
                                               const layers::Codec& codec,
                                               const layers::Store& store);

}  // namespace imgbuild::builder
