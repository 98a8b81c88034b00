// Pushing an image: its blobs in parallel, then its documents from the leaves up, the tags last
// (OCI distribution-spec v1.1, "Push"). Whoever pulls meanwhile sees the old image or the new one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "builder/registry/blob_upload.h"
#include "builder/registry/push_memory.h"
#include "builder/registry/registry.h"
#include "builder/ui/progress.h"
#include "layers/image/image_source.h"

namespace imgbuild::builder {

struct PushOptions {
  std::vector<std::string> tags;  // none: by digest only
  int jobs = 6;                   // uploads at once
  UploadOptions upload;
};

struct PushResult {
  std::size_t present = 0;  // blobs
  std::size_t mounted = 0;
  std::size_t uploaded = 0;
  std::uint64_t bytes_sent = 0;
  bool unchanged = false;  // every tag led to the image already

  bool operator==(const PushResult&) const = default;
};

// An image that is there under all tags costs one HEAD for each. The first failure ends the push,
// after what is under way; no tag is moved then.
PushResult PushImage(Registry& registry, PushMemory& memory, const layers::ImageSource& image,
                     const PushOptions& options, Progress& progress);

}  // namespace imgbuild::builder
