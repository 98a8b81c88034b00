#include "builder/registry/push.h"

#include <utility>

#include <fmt/format.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using specs::Error;

// Whether the reference leads to that very document.
bool LeadsTo(Registry& registry, const std::string& reference,
             const specs::Descriptor& descriptor) {
  const HttpResponse response = registry.Send({.method = "HEAD",
                                               .path = "/manifests/" + reference,
                                               .headers = {{"Accept", descriptor.media_type}}});
  if (response.status == 404) return false;
  if (response.status != 200) throw registry.Failure("cannot ask for a manifest", response);
  const std::string_view digest = response.Header("Docker-Content-Digest");
  if (!digest.empty()) return digest == descriptor.digest.Oci();
  // The header is no duty: then the document itself tells.
  const HttpResponse document = registry.Send(
      {.path = "/manifests/" + reference, .headers = {{"Accept", descriptor.media_type}}});
  return document.status == 200 && specs::HashOf(document.body) == descriptor.digest;
}

// Whether the registry took it for what it is.
bool PutOnce(Registry& registry, const std::string& reference,
             const layers::SourceDocument& document) {
  const HttpResponse response =
      registry.Send({.method = "PUT",
                     .path = "/manifests/" + reference,
                     .headers = {{"Content-Type", document.descriptor.media_type}},
                     .upload = HttpUpload{.bytes = document.bytes}});
  if (response.status != 201) throw registry.Failure("cannot put a manifest", response);
  const std::string_view digest = response.Header("Docker-Content-Digest");
  return digest.empty() ? LeadsTo(registry, reference, document.descriptor)
                        : digest == document.descriptor.digest.Oci();
}

// A tag's manifest goes out without a digest to be held against, so one that was spoiled on its way
// is taken by the registry. Then it is put again: the tag must not stay on it.
void PutDocument(Registry& registry, const std::string& reference,
                 const layers::SourceDocument& document) {
  constexpr int kTries = 3;
  for (int i = 0; i < kTries; ++i) {
    if (PutOnce(registry, reference, document)) return;
  }
  throw Error(specs::ErrorKind::kVerification,
              fmt::format("{} took a manifest for another, {} times", registry.Name(), kTries))
      .Expected(document.descriptor.digest.Oci())
      .Hint("what lies between here and the registry spoils what goes through it");
}

}  // namespace

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
      PutDocument(registry_, document.descriptor.digest.Oci(), document);
    }
  }
  for (const std::string& reference : references) PutDocument(registry_, reference, root);
  return result;
}

PushResult PushImage(Registry& registry, PushMemory& memory, const layers::ImageSource& image,
                     const PushOptions& options, Progress& progress) {
  return ImagePush(registry, memory, options, progress).Finish(image);
}

}  // namespace imgbuild::builder
