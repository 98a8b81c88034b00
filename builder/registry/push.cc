#include "builder/registry/push.h"

#include <utility>

#include "builder/registry/manifest_put.h"

namespace imgbuild::builder {

ImagePush::ImagePush(Registry& registry, PushMemory& memory, PushOptions options,
                     Progress& progress)
    : registry_(registry),
      options_(std::move(options)),
      blobs_(registry, memory, options_.jobs, options_.upload, progress) {}

PushResult ImagePush::Finish(const layers::ImageSource& image) {
  const layers::SourceDocument& root = image.documents.back();
  std::vector<std::string> references;
  for (const std::string& tag : options_.tags) {
    if (!LeadsTo(registry_, tag, root.descriptor)) references.push_back(tag);
  }
  if (options_.tags.empty()) references.push_back(root.descriptor.digest.Oci());
  if (references.empty()) {
    PushResult result = blobs_.Finish();
    result.unchanged = true;
    return result;
  }

  const bool there = LeadsTo(registry_, root.descriptor.digest.Oci(), root.descriptor);
  if (!there) {
    for (const layers::SourceBlob& blob : image.blobs) {
      blobs_.Add({blob.descriptor.digest, blob.descriptor.size, blob.path});
    }
  }
  const PushResult result = blobs_.Finish();
  if (!there) {
    for (std::size_t i = 0; i + 1 < image.documents.size(); ++i) {
      const layers::SourceDocument& document = image.documents[i];
      PutManifest(registry_, document.descriptor.digest.Oci(), document);
    }
  }
  for (const std::string& reference : references) PutManifest(registry_, reference, root);
  return result;
}

PushResult PushImage(Registry& registry, PushMemory& memory, const layers::ImageSource& image,
                     const PushOptions& options, Progress& progress) {
  return ImagePush(registry, memory, options, progress).Finish(image);
}

}  // namespace imgbuild::builder
