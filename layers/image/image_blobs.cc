#include "layers/image/image_blobs.h"

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

bool RecheckImage(Store& store, const Image& image) {
  bool right = true;
  for (const specs::Descriptor& blob : image.Blobs()) {
    if (!store.RecheckBlob(blob.digest)) right = false;
  }
  return right;
}

}  // namespace imgbuild::layers
