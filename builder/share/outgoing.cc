#include "builder/share/outgoing.h"

#include <optional>
#include <utility>

#include <fmt/core.h>

#include "builder/assemble/recipe_annotations.h"
#include "builder/share/record_text.h"
#include "layers/store/package_record.h"
#include "layers/write/layer_info.h"

namespace imgbuild::builder {
namespace {

std::optional<OutgoingBlob> BlobOfStore(std::string name, const specs::Descriptor& blob,
                                        const layers::Store& store) {
  const auto file = store.FindBlob(blob.digest, blob.size);
  if (!file) return std::nullopt;
  return OutgoingBlob{.blob = {std::move(name), blob.digest, blob.size}, .file = *file};
}

}  // namespace

OutgoingBlob WrittenBlob(std::string name, const std::string& bytes, const layers::Store& store) {
  std::shared_ptr<layers::AtomicFile> file = store.NewFile();
  file->Write(bytes);
  file->Flush();
  return {.blob = {std::move(name), specs::HashOf(bytes), bytes.size()},
          .file = file->temporary(),
          .made = file};
}

CacheEntry OutgoingEntry::Entry() const {
  CacheEntry entry{.document = document, .blobs = {}};
  for (const OutgoingBlob& blob : blobs) entry.blobs.push_back(blob.blob);
  return entry;
}

std::vector<OutgoingEntry> OutgoingPackages(const std::vector<specs::Sha256>& keys,
                                            std::string_view codec, const layers::Store& store) {
  std::vector<OutgoingEntry> entries;
  for (const specs::Sha256& key : keys) {
    const std::optional<layers::StoredPackage> package = store.FindPackage(key, codec);
    if (!package) continue;
    OutgoingEntry entry{
        .name = {EntryKind::kPackage, PackageEntryKey(key, codec)}, .document = {}, .blobs = {}};
    const std::string record = layers::RenderPackage(package->frame, package->facts);
    entry.blobs.push_back(WrittenBlob("record", PackRecord(record), store));
    if (package->frame.compressed_size > 0) {
      entry.blobs.push_back(
          {.blob = {"frame", package->frame.digest, package->frame.compressed_size},
           .file = package->frame_path});
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<OutgoingEntry> OutgoingArchives(const std::vector<specs::Sha256>& archives,
                                            const layers::Store& store) {
  std::vector<OutgoingEntry> entries;
  for (const specs::Sha256& archive : archives) {
    const auto file = store.FindDownload(archive);
    std::error_code error;
    const std::uint64_t size = file ? std::filesystem::file_size(*file, error) : 0;
    if (!file || error) continue;
    entries.push_back({.name = {EntryKind::kArchive, archive},
                       .document = {},
                       .blobs = {{.blob = {"archive", archive, size}, .file = *file}}});
  }
  return entries;
}

std::vector<OutgoingEntry> OutgoingListings(const std::vector<specs::Sha256>& keys,
                                            const layers::Store& store) {
  std::vector<OutgoingEntry> entries;
  for (const specs::Sha256& key : keys) {
    const std::optional<std::string> listing = store.FindAction(key);
    if (!listing || listing->size() > kLargestRecord) continue;
    OutgoingEntry entry{.name = {EntryKind::kListing, key}, .document = {}, .blobs = {}};
    entry.blobs.push_back(WrittenBlob("listing", PackRecord(*listing), store));
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::vector<OutgoingEntry> OutgoingImage(const specs::Sha256& key, const layers::Image& image,
                                         const layers::Store& store) {
  std::vector<OutgoingEntry> entries;
  OutgoingEntry whole{.name = {EntryKind::kImage, key}, .document = {}, .blobs = {}};
  for (std::size_t p = 0; p < image.platforms.size(); ++p) {
    const layers::PlatformImage& platform = image.platforms[p];
    for (std::size_t i = platform.base_layers; i < platform.manifest.layers.size(); ++i) {
      const specs::Descriptor& layer = platform.manifest.layers[i];
      const std::optional<LayerRecipe> recipe = LayerRecipeOf(layer.annotations);
      auto blob = BlobOfStore("layer", layer, store);
      if (!recipe || !blob) return {};
      OutgoingEntry entry{
          .name = {EntryKind::kLayer, recipe->key},
          .document = layers::RenderLayerInfo(
              {layer.digest, layer.size, platform.config.diff_ids[i], recipe->plain_size}),
          .blobs = {}};
      entry.blobs.push_back(*std::move(blob));
      entries.push_back(std::move(entry));
    }
    auto manifest = BlobOfStore(fmt::format("manifest.{}", p), platform.descriptor, store);
    auto config = BlobOfStore(fmt::format("config.{}", p), platform.manifest.config, store);
    if (!manifest || !config) return {};
    whole.blobs.push_back(*std::move(manifest));
    whole.blobs.push_back(*std::move(config));
  }
  entries.push_back(std::move(whole));
  return entries;
}

}  // namespace imgbuild::builder
