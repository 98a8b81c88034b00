#include "layers/image/image_blobs.h"

#include <set>
#include <vector>

#include <fmt/core.h>

namespace imgbuild::layers {

std::filesystem::path RequireBlob(const Store& store, const specs::Descriptor& blob) {
  if (auto path = store.FindBlob(blob.digest, blob.size)) return *path;
  throw specs::Error(fmt::format("the cache has lost {}", blob.digest.Oci()))
      .Hint("run the build again");
}

specs::Error DamagedBlob(Store& store, const specs::Sha256& digest) {
  if (store.RecheckBlob(digest)) {
    return specs::Error(specs::ErrorKind::kVerification,
                        fmt::format("{} was read wrongly", digest.Oci()))
        .Hint("the cache has it rightly: check disk and memory of this machine");
  }
  return specs::Error(
             specs::ErrorKind::kVerification,
             fmt::format("{} was damaged in the cache, and is removed there", digest.Oci()))
      .Hint("run the build again: it is made anew");
}

bool RecheckImage(Store& store, const Image& image, AbsentBlobs absent) {
  std::set<specs::Sha256> may_be_missing;
  for (const PlatformImage& platform : image.platforms) {
    const std::vector<specs::Descriptor>& layers = platform.manifest.layers;
    const std::size_t count =
        absent == AbsentBlobs::kAllowed ? layers.size() : platform.base_layers;
    for (std::size_t i = 0; i < count; ++i) may_be_missing.insert(layers[i].digest);
  }
  bool right = true;
  for (const specs::Descriptor& blob : image.Blobs()) {
    std::error_code error;
    const bool there = std::filesystem::exists(store.paths().Blob(blob.digest), error);
    if (!there && may_be_missing.contains(blob.digest)) continue;
    if (!store.RecheckBlob(blob.digest)) right = false;
  }
  return right;
}

bool RemoveDamaged(Store& store, const ImageSource& image) {
  bool removed = false;
  for (const SourceBlob& blob : image.blobs) {
    const specs::Descriptor& descriptor = blob.descriptor;
    if (blob.path != store.paths().Blob(descriptor.digest) ||
        !store.FindBlob(descriptor.digest, descriptor.size)) {
      continue;
    }
    if (!store.RecheckBlob(descriptor.digest)) removed = true;
  }
  return removed;
}

}  // namespace imgbuild::layers
