// Pushing an image: its blobs in parallel, then its documents from the leaves up, the tags last
// (OCI distribution-spec v1.1, "Push"). Whoever pulls meanwhile sees the old image or the new one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "builder/registry/blob_pushes.h"
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

// One image on its way into a repository. Its blobs may be given before there is an image: a build
// gives each layer as soon as it is made. Where several go into one registry at the same time, with
// one memory, a blob crosses the network once if the registry mounts it.
class ImagePush {
 public:
  // Borrows all but the options.
  ImagePush(Registry& registry, PushMemory& memory, PushOptions options, Progress& progress);

  // Starts the upload of a blob of the image. Does not block; thread-safe.
  void Add(PushBlob blob) { blobs_.Add(std::move(blob)); }

  // Adds what is missing, waits for all, puts the documents and moves the tags. An image that is
  // there under all tags costs one HEAD for each. The first failure ends the push, after what is
  // under way; no tag is moved then.
  PushResult Finish(const layers::ImageSource& image);

 private:
  Registry& registry_;
  const PushOptions options_;
  BlobPushes blobs_;
};

// The whole of it, of an image that is there.
PushResult PushImage(Registry& registry, PushMemory& memory, const layers::ImageSource& image,
                     const PushOptions& options, Progress& progress);

}  // namespace imgbuild::builder
