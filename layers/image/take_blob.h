// Blobs that come out of an archive on their way into the store.
#pragma once

#include <optional>

#include "layers/io/stream.h"
#include "layers/store/store.h"
#include "specs/oci/descriptor.h"

namespace imgbuild::layers {

// Publishes what `content` gives as that blob. Throws Error (kVerification), with nothing
// published, where it has another digest or size, or does not decompress to `diff_id`.
void TakeBlob(Store& store, const specs::Descriptor& blob, Source& content,
              const std::optional<specs::Sha256>& diff_id = {});

}  // namespace imgbuild::layers
