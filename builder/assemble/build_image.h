// The build: from spec and lock to an image in the store. What this file calls, in order, is the
// whole story; no package is resolved here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "builder/assemble/compiler_tree.h"
#include "builder/assemble/fetcher.h"
#include "builder/assemble/layer_stage.h"
#include "builder/assemble/shared_cache.h"
#include "builder/base/base_images.h"
#include "builder/ui/progress.h"
#include "layers/image/image.h"
#include "layers/io/executor.h"
#include "layers/store/store.h"
#include "layers/write/compress.h"
#include "layers/write/layer.h"
#include "specs/env/loader.h"
#include "specs/env/lock.h"

namespace imgbuild::builder {

struct BuildRequest {
  const specs::LoadedSpec& loaded;
  const specs::Lock& lock;
  layers::Compression compression = layers::Compression::kZstd;
};

// Borrowed, all but the listener.
struct BuildContext {
  layers::Store& store;
  layers::Executor& executor;
  Fetcher& fetcher;
  Progress& progress;
  CompilerTrust& compiler_trust;
  LayerListener layer_listener = {};  // of images that are not found whole
  SharedCache* shared = nullptr;      // null: only this machine's own cache
  BaseImages* base = nullptr;         // where the spec builds on an image; of the locked digest
};

struct BuiltPlatform {
  specs::Platform platform;
  std::vector<MadeLayer> layers;
};

struct BuiltImage {
  layers::Image image;
  specs::Sha256 key;                     // its recipe's
  std::vector<BuiltPlatform> platforms;  // empty when nothing had to be looked at
  bool unchanged = false;                // found whole by its key
  bool shared = false;                   // in the shared cache: the store may lack its layers
};

// What a build of the request takes from caches, whether or not they have it.
struct BuildInputs {
  std::string codec;                    // of the packages' frames
  std::vector<specs::Sha256> packages;  // recipe keys
  std::vector<specs::Sha256>
      archives;  // of packages, of the Python that compiles, of [[artifacts]]
  std::vector<specs::Sha256> listings;  // of the base image's layers: layers::ListingKey
};
BuildInputs InputsOf(const BuildRequest& request, BuildContext context);

struct PackagePreview {
  bool downloaded = false;            // its archive
  std::optional<std::uint64_t> made;  // bytes of its files as they go into a layer, compressed
};

struct LayerPreview {
  std::string name;
  std::vector<std::size_t> packages;      // positions in the platform's packages in force
  std::optional<layers::LayerInfo> made;  // where the store has it
};

struct PlatformPreview {
  std::vector<PackagePreview> packages;  // parallel to the platform's packages in force
  std::vector<LayerPreview> layers;      // bottom first, without those of a base image
  // Whether it is known of each layer if the store has it: not before all packages were made, nor
  // on a base image.
  bool layers_known = false;
};

struct BuildPreview {
  bool unchanged = false;  // the whole image is there
  std::vector<PlatformPreview> platforms;
};

// What a build of the request would find in the store. Nothing is made or fetched; warnings of the
// build are told. REQUIRES: as BuildImage.
BuildPreview PreviewImage(const BuildRequest& request, BuildContext context);

// The image where the store has it whole, by its key alone: nothing is made, fetched or asked.
// Throws Error where files of the spec cannot be read.
std::optional<layers::Image> FindBuiltImage(const BuildRequest& request,
                                            const layers::Store& store);

// REQUIRES: LockMatches(lock, spec). The store has the image's documents then, and of its layers
// those that the shared cache did not promise (MadeLayer::shared). Throws Error.
BuiltImage BuildImage(const BuildRequest& request, BuildContext context);

}  // namespace imgbuild::builder
