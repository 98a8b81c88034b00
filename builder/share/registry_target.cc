#include "builder/share/registry_target.h"

#include <map>
#include <mutex>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "builder/registry/blob_upload.h"
#include "builder/registry/manifest_fetch.h"
#include "builder/share/cache_client.h"
#include "layers/io/in_parallel.h"
#include "specs/base/error.h"
#include "specs/oci/media_types.h"

namespace imgbuild::builder {
namespace {

constexpr int kMostWrites = 3;  // of the manifest, where others write it too

// Those that `there` has not, or not in that form.
std::vector<const OutgoingEntry*> Lacking(const CacheArtifact& there,
                                          const std::vector<OutgoingEntry>& entries) {
  const std::map<EntryName, CacheEntry> known = EntriesOfArtifact(there);
  std::vector<const OutgoingEntry*> lacking;
  for (const OutgoingEntry& entry : entries) {
    const auto found = known.find(entry.name);
    if (found == known.end() || found->second != entry.Entry()) lacking.push_back(&entry);
  }
  return lacking;
}

CacheArtifact ArtifactOf(const std::vector<const OutgoingEntry*>& entries) {
  CacheArtifact artifact;
  for (const OutgoingEntry* entry : entries) artifact.push_back({entry->name, entry->Entry()});
  return artifact;
}

}  // namespace

RegistryTarget::RegistryTarget(std::unique_ptr<Registry> registry, std::string tag,
                               PushMemory& memory, const layers::Store& store, std::size_t limit)
    : registry_(std::move(registry)),
      tag_(std::move(tag)),
      name_(registry_->Name() + ":" + tag_),
      memory_(memory),
      store_(store),
      limit_(limit) {}

CacheArtifact RegistryTarget::Current() {
  const auto manifest = FetchManifest(*registry_, tag_);
  if (!manifest) return {};
  if (IsCacheArtifact(manifest->bytes)) return ParseCacheArtifact(manifest->bytes);
  throw specs::Error(fmt::format("{} is an image, not a cache", name_))
      .Hint("give the cache a tag of its own: --cache-to " + registry_->Name() + ":cache");
}

void RegistryTarget::Upload(const std::vector<const OutgoingEntry*>& entries,
                            ExportResult& result) {
  const OutgoingBlob empty_config = WrittenBlob("config", std::string(kEmptyConfig), store_);
  std::vector<const OutgoingBlob*> blobs;
  std::set<specs::Sha256> seen;
  for (const OutgoingEntry* entry : entries) {
    for (const OutgoingBlob& blob : entry->blobs) {
      if (seen.insert(blob.blob.digest).second) blobs.push_back(&blob);
    }
  }
  blobs.push_back(&empty_config);
  std::mutex mutex;
  layers::InParallel(blobs.size(), kRequestsAtOnce, [&](std::size_t i) {
    const EntryBlob& blob = blobs[i]->blob;
    const BlobResult sent = UploadBlob(
        *registry_, memory_, {blob.digest, blob.size, blobs[i]->file}, [](std::uint64_t) {});
    const std::lock_guard lock(mutex);
    if (sent.outcome == BlobOutcome::kUploaded) ++result.blobs;
    result.bytes_sent += sent.bytes_sent;
  });
}

void RegistryTarget::PutManifest(const std::string& manifest) {
  const HttpResponse response =
      registry_->Send({.method = "PUT",
                       .path = "/manifests/" + tag_,
                       .headers = {{"Content-Type", std::string(specs::kOciManifest)}},
                       .upload = HttpUpload{.bytes = manifest, .file = {}, .progress = {}}});
  if (response.status != 201) throw registry_->Failure("cannot put the cache", response);
}

ExportResult RegistryTarget::Put(const std::vector<OutgoingEntry>& entries) {
  ExportResult result{.place = name_};
  CacheArtifact current = Current();
  std::vector<const OutgoingEntry*> lacking = Lacking(current, entries);
  result.entries = lacking.size();
  if (lacking.empty()) return result;
  Upload(lacking, result);
  for (int write = 0; write < kMostWrites; ++write) {
    current = Current();  // while blobs went out, others may have written
    const CacheArtifact merged = Merge(current, ArtifactOf(Lacking(current, entries)), limit_);
    if (merged == current) return result;
    PutManifest(RenderCacheArtifact(merged));
    if (Current() == merged) return result;
  }
  throw specs::Error(fmt::format("{} is written by too many at once", name_))
      .Hint("give each of them a tag of its own, and name all in --cache-from");
}

}  // namespace imgbuild::builder
