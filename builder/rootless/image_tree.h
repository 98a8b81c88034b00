// An image's files as a folder in the cache, made once for each image and way of mapping ids.
#pragma once

#include <filesystem>

#include "builder/rootless/id_maps.h"
#include "layers/image/image.h"
#include "layers/store/entry_lock.h"
#include "layers/store/store.h"
#include "specs/base/digest.h"

namespace imgbuild::builder {

// Below the cache: trees/KEY, complete and never written to, and what runs need (run_folder.h).
std::filesystem::path RootlessFolder(const layers::Store& store);

// Of the layers' diff ids, in order, and the ids that files belong to.
specs::Sha256 TreeKey(const layers::PlatformImage& image, const IdMaps& maps);

struct ImageTree {
  std::filesystem::path path;
  layers::EntryLock use;  // as long as this is held, nobody removes it
};

// The folder of the image's files; unpacks the layers where it is not there yet, which others that
// want the same wait for. Throws Error (kVerification) for a layer that is not what the image says,
// after removing it from the store, so that the next build makes it again.
ImageTree FindOrMakeTree(layers::Store& store, const layers::PlatformImage& image,
                         const IdMaps& maps);

// Removes one of trees/, be it unfinished, with the rights of whoever calls this over the files of
// its users. False where it stays, since somebody uses or unpacks it, and where something of it is
// left, since this machine grants an id no more that it has. Throws Error where there are no user
// namespaces.
bool RemoveImageTree(const layers::Store& store, const std::filesystem::path& tree);

}  // namespace imgbuild::builder
