#include "builder/share/registry_place.h"

#include <utility>

#include "builder/registry/blob_fetch.h"
#include "builder/registry/manifest_fetch.h"
#include "builder/share/cache_artifact.h"
#include "builder/share/image_entries.h"

namespace imgbuild::builder {

RegistryPlace::RegistryPlace(std::unique_ptr<CacheClient> client,
                             std::unique_ptr<Registry> registry, std::string reference)
    : client_(std::move(client)),
      registry_(std::move(registry)),
      reference_(std::move(reference)),
      name_(registry_->Name() + (specs::ParseDigest(reference_) ? "@" : ":") + reference_) {}

void RegistryPlace::Load() {
  const std::lock_guard lock(mutex_);
  if (loaded_) return;
  const std::optional<FetchedManifest> root = FetchManifest(*registry_, reference_);
  // Nothing was pushed there yet: a cache that is empty.
  if (root && IsCacheArtifact(root->bytes)) {
    entries_ = EntriesOfArtifact(ParseCacheArtifact(root->bytes));
  } else if (root) {
    ImageEntries image = EntriesOfImage(
        root->bytes,
        [&](const specs::Descriptor& manifest) {
          return FetchManifest(*registry_, manifest).bytes;
        },
        [&](const specs::Descriptor& config) { return FetchSmallBlob(*registry_, config); });
    entries_ = std::move(image.entries);
    documents_ = std::move(image.documents);
  }
  loaded_ = true;
}

std::optional<CacheEntry> RegistryPlace::Find(const EntryName& name) {
  Load();
  const auto found = entries_.find(name);
  if (found == entries_.end()) return std::nullopt;
  return found->second;
}

bool RegistryPlace::Read(const EntryBlob& blob, layers::Sink& sink,
                         const std::function<void()>& restart) {
  const auto document = documents_.find(blob.digest);
  if (document != documents_.end()) {
    restart();
    sink.Write(document->second);
    return true;
  }
  const HttpResponse response =
      registry_->Send({.path = "/blobs/" + blob.digest.Oci(), .body = &sink, .restart = restart});
  if (response.status == 404) return false;
  if (response.status != 200) throw registry_->Failure("cannot fetch a blob", response);
  return true;
}

}  // namespace imgbuild::builder
