// The build: from spec and lock to an image in the store. What this file calls, in order, is the
// whole story; no package is resolved here.
#pragma once

#include <cstdint>
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

// REQUIRES: LockMatches(lock, spec). The store has the image's documents then, and of its layers
// those that the shared cache did not promise (MadeLayer::shared). Throws Error.
BuiltImage BuildImage(const BuildRequest& request, BuildContext context);

}  // namespace imgbuild::builder
