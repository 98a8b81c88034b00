// An image's blobs in the store, where they may be missing or damaged.
#pragma once

#include <filesystem>

#include "layers/image/image.h"
#include "layers/image/image_source.h"
#include "layers/store/store.h"
#include "specs/base/error.h"

namespace imgbuild::layers {

// Where it lies; an Error where the store has lost it.
std::filesystem::path RequireBlob(const Store& store, const specs::Descriptor& blob);

// What to throw for a blob whose content turned out wrong. Has the store read it again: one that is
// wrong there is gone then, so that another build makes it anew.
specs::Error DamagedBlob(Store& store, const specs::Sha256& digest);

// Has the store read all blobs of the image again. Whether each is there and right: else building
// again, which makes those that are not, and writing again heals an output that failed. Layers of a
// base image may be missing; with kAllowed, other layers too.
bool RecheckImage(Store& store, const Image& image, AbsentBlobs absent = AbsentBlobs::kRefused);

// Has the store read those of the image's blobs again that lie in it. Whether one was wrong, and is
// gone now: then reading the image from where it is brings it again.
bool RemoveDamaged(Store& store, const ImageSource& image);

}  // namespace imgbuild::layers
