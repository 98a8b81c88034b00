#include "builder/share/shared_places.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "builder/assemble/recipe_annotations.h"
#include "builder/share/cache_client.h"
#include "builder/share/record_text.h"
#include "builder/share/verified.h"
#include "layers/io/in_parallel.h"
#include "layers/write/layer_info.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/json_document.h"
#include "specs/oci/manifest.h"

namespace imgbuild::builder {
namespace {

// Null where it is no image as we write them.
std::optional<SharedPlatform> ReadPlatform(const std::string& manifest_text,
                                           const std::string& config_text) {
  const specs::Manifest manifest = specs::ParseManifest(manifest_text, "a shared manifest");
  SharedPlatform platform{.config = specs::ParseImageConfig(config_text, "a shared configuration"),
                          .layers = {}};
  const specs::ImageConfig& config = platform.config;
  const std::size_t count = manifest.layers.size();
  if (manifest.config.digest != specs::HashOf(config_text) || config.diff_ids.size() != count ||
      config.history.size() != count) {
    return std::nullopt;
  }
  for (std::size_t i = 0; i < count; ++i) {
    specs::Descriptor descriptor = manifest.layers[i];
    const std::optional<LayerRecipe> recipe = LayerRecipeOf(descriptor.annotations);
    if (!recipe && platform.without_recipe++ != i) return std::nullopt;
    descriptor.annotations = recipe ? LayerAnnotations(*recipe) : Annotations{};
    platform.layers.push_back({.descriptor = std::move(descriptor),
                               .diff_id = config.diff_ids[i],
                               .plain_size = recipe ? recipe->plain_size : 0,
                               .created_by = config.history[i].created_by});
  }
  return platform;
}

}  // namespace

struct SharedPlaces::Place {
  explicit Place(std::unique_ptr<CachePlace> given) : cache(std::move(given)) {}

  const std::unique_ptr<CachePlace> cache;
  std::atomic<bool> failed = false;
  std::atomic<std::size_t> images = 0;
  std::atomic<std::size_t> layers = 0;
  std::atomic<std::size_t> packages = 0;
  std::atomic<std::size_t> listings = 0;
  std::atomic<std::size_t> blobs = 0;
  std::atomic<std::size_t> archives = 0;
};

SharedPlaces::SharedPlaces(std::vector<std::unique_ptr<CachePlace>> places, Progress& progress)
    : progress_(progress) {
  for (auto& place : places) places_.push_back(std::make_unique<Place>(std::move(place)));
}

SharedPlaces::~SharedPlaces() = default;

void SharedPlaces::Fail(Place& place, const specs::Error& error) {
  if (place.failed.exchange(true)) return;
  std::string reason = error.message();
  if (!error.found().empty()) reason += ": " + error.found();
  progress_.Warning(fmt::format("the cache {} is not used any more: {}", place.cache->name(),
                                reason.substr(0, reason.find('\n'))));
}

// Until one says yes.
template <typename Ask>
void SharedPlaces::AskPlaces(Ask&& ask) {
  for (const std::unique_ptr<Place>& place : places_) {
    if (place->failed) continue;
    try {
      if (ask(*place)) return;
    } catch (const specs::Error& error) {
      Fail(*place, error);
    }
  }
}

bool SharedPlaces::IsBroken(const specs::Sha256& digest) const {
  const std::lock_guard lock(mutex_);
  return broken_.contains(digest);
}

void SharedPlaces::Promise(Place& place, const specs::Sha256& digest) {
  const std::lock_guard lock(mutex_);
  const auto [promise, fresh] = promises_.emplace(digest, &place);
  if (!fresh && promise->second->failed) promise->second = &place;
}

std::optional<std::vector<SharedPlatform>> SharedPlaces::ReadImage(Place& place,
                                                                   const CacheEntry& entry) {
  std::vector<SharedPlatform> platforms;
  for (std::size_t i = 0; i < entry.blobs.size() / 2; ++i) {
    const EntryBlob* manifest = entry.Find(fmt::format("manifest.{}", i));
    const EntryBlob* config = entry.Find(fmt::format("config.{}", i));
    if (manifest == nullptr || config == nullptr) return std::nullopt;
    const auto manifest_text = ReadVerified(*place.cache, *manifest, specs::kMaxDocument);
    const auto config_text = ReadVerified(*place.cache, *config, specs::kMaxDocument);
    if (!manifest_text || !config_text) return std::nullopt;
    auto platform = ReadPlatform(*manifest_text, *config_text);
    if (!platform) return std::nullopt;
    for (const layers::ImageLayer& layer : platform->layers) {
      if (IsBroken(layer.descriptor.digest)) return std::nullopt;
    }
    platforms.push_back(*std::move(platform));
  }
  return platforms;
}

std::optional<std::vector<SharedPlatform>> SharedPlaces::FindImage(const specs::Sha256& key) {
  std::optional<std::vector<SharedPlatform>> found;
  AskPlaces([&](Place& place) {
    const auto entry = place.cache->Find({EntryKind::kImage, key});
    if (entry) found = ReadImage(place, *entry);
    if (!found) return false;
    for (const SharedPlatform& platform : *found) {
      for (const layers::ImageLayer& layer : platform.layers) {
        Promise(place, layer.descriptor.digest);
      }
    }
    ++place.images;
    return true;
  });
  return found;
}

std::optional<layers::LayerInfo> SharedPlaces::FindLayer(const specs::Sha256& key) {
  std::optional<layers::LayerInfo> found;
  AskPlaces([&](Place& place) {
    const auto entry = place.cache->Find({EntryKind::kLayer, key});
    if (!entry) return false;
    const auto layer = layers::ParseLayerInfo(entry->document);
    const EntryBlob* blob = entry->Find("layer");
    if (!layer || blob == nullptr || blob->digest != layer->digest || blob->size != layer->size) {
      throw specs::Error("a layer's entry is not in its form");
    }
    if (IsBroken(layer->digest)) return false;
    Promise(place, layer->digest);
    found = layer;
    ++place.layers;
    return true;
  });
  return found;
}

std::optional<std::string> SharedPlaces::FindPackage(const specs::Sha256& key) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = records_.find(key);
    if (known != records_.end()) return known->second;
  }
  std::optional<std::string> found;
  AskPlaces([&](Place& place) {
    const auto entry = place.cache->Find({EntryKind::kPackage, key});
    const EntryBlob* record = entry ? entry->Find("record") : nullptr;
    if (record == nullptr) return false;
    const EntryBlob* frame = entry->Find("frame");
    if (frame != nullptr && IsBroken(frame->digest)) return false;
    const auto packed = ReadVerified(*place.cache, *record, kLargestPackedRecord);
    if (!packed) return false;
    found = UnpackRecord(*packed);
    if (frame != nullptr) Promise(place, frame->digest);
    ++place.packages;
    return true;
  });
  if (found) {
    const std::lock_guard lock(mutex_);
    records_.emplace(key, *found);
  }
  return found;
}

std::vector<std::optional<std::string>> SharedPlaces::FindPackages(
    const std::vector<specs::Sha256>& keys, std::string_view codec) {
  std::vector<std::optional<std::string>> found(keys.size());
  layers::InParallel(keys.size(), kRequestsAtOnce, [&](std::size_t i) {
    found[i] = FindPackage(PackageEntryKey(keys[i], codec));
  });
  return found;
}

std::optional<std::string> SharedPlaces::FindListing(const specs::Sha256& key) {
  std::optional<std::string> found;
  AskPlaces([&](Place& place) {
    const auto entry = place.cache->Find({EntryKind::kListing, key});
    const EntryBlob* listing = entry ? entry->Find("listing") : nullptr;
    if (listing == nullptr) return false;
    const auto packed = ReadVerified(*place.cache, *listing, kLargestPackedRecord);
    if (!packed) return false;
    found = UnpackRecord(*packed);
    ++place.listings;
    return true;
  });
  return found;
}

std::vector<std::optional<std::string>> SharedPlaces::FindListings(
    const std::vector<specs::Sha256>& keys) {
  std::vector<std::optional<std::string>> found(keys.size());
  layers::InParallel(keys.size(), kRequestsAtOnce,
                     [&](std::size_t i) { found[i] = FindListing(keys[i]); });
  return found;
}

bool SharedPlaces::Fetch(const EntryBlob& blob, layers::AtomicFile& file) {
  Place* place = nullptr;
  {
    const std::lock_guard lock(mutex_);
    const auto promise = promises_.find(blob.digest);
    if (promise != promises_.end() && !broken_.contains(blob.digest)) place = promise->second;
  }
  try {
    const auto restart = [&] { file.Restart(); };
    if (place != nullptr && !place->failed && FetchVerified(*place->cache, blob, file, restart)) {
      ++place->blobs;
      return true;
    }
  } catch (const specs::Error& error) {
    Fail(*place, error);
  }
  const std::lock_guard lock(mutex_);
  broken_.insert(blob.digest);
  std::erase_if(records_, [&](const auto& record) {  // those with that frame are not promised again
    return record.second.substr(0, record.second.find('\n')).find(blob.digest.Hex()) !=
           std::string::npos;
  });
  broke_promise_ = true;
  return false;
}

template <typename Put>
bool SharedPlaces::FetchAll(std::vector<EntryBlob> blobs, layers::Store& store, Put&& put) {
  if (blobs.empty()) return true;
  // The largest first, so that the end is not one thread's.
  std::ranges::stable_sort(blobs, std::greater(), &EntryBlob::size);
  const auto task = progress_.Begin("Fetching from shared caches", ProgressUnit::kItems);
  task->SetTotal(blobs.size());
  std::atomic<bool> all = true;
  layers::InParallel(blobs.size(), kRequestsAtOnce, [&](std::size_t i) {
    if (!all) return;
    const std::unique_ptr<layers::AtomicFile> file = store.NewFile();
    if (Fetch(blobs[i], *file)) {
      put(blobs[i], *file);
    } else {
      all = false;
    }
    task->Advance(1);
  });
  task->Finish(specs::Count(blobs.size(), "blob"));
  return all;
}

bool SharedPlaces::FetchBlobs(const std::vector<specs::Descriptor>& blobs, layers::Store& store) {
  std::vector<EntryBlob> missing;
  for (const specs::Descriptor& blob : blobs) {
    if (!store.FindBlob(blob.digest, blob.size)) missing.push_back({"", blob.digest, blob.size});
  }
  return FetchAll(std::move(missing), store, [&](const EntryBlob& blob, layers::AtomicFile& file) {
    store.PutBlob(blob.digest, file);
  });
}

bool SharedPlaces::FetchFrames(const std::vector<layers::FrameRecord>& frames,
                               layers::Store& store) {
  std::vector<EntryBlob> missing;
  for (const layers::FrameRecord& frame : frames) {
    if (!store.HasFrame(frame)) missing.push_back({"", frame.digest, frame.compressed_size});
  }
  return FetchAll(std::move(missing), store, [&](const EntryBlob& blob, layers::AtomicFile& file) {
    store.PutFrame(blob.digest, file);
  });
}

void SharedPlaces::FetchArchive(const specs::Sha256& archive, layers::Store& store) {
  AskPlaces([&](Place& place) {
    const auto entry = place.cache->Find({EntryKind::kArchive, archive});
    const EntryBlob* blob = entry ? entry->Find("archive") : nullptr;
    if (blob == nullptr || blob->digest != archive) return false;
    const auto download = store.OpenDownload(archive);
    if (download->AlreadyThere()) return true;
    const auto restart = [&] { download->Restart(); };
    restart();
    if (!FetchVerified(*place.cache, *blob, *download, restart)) return false;
    (void)download->Digest();  // verified just now
    store.PutDownload(archive, *download);
    ++place.archives;
    return true;
  });
}

void SharedPlaces::FetchArchives(const std::vector<specs::Sha256>& archives, layers::Store& store) {
  layers::InParallel(archives.size(), kRequestsAtOnce, [&](std::size_t i) {
    if (!store.FindDownload(archives[i])) FetchArchive(archives[i], store);
  });
}

std::optional<BlobHome> SharedPlaces::HomeOf(const specs::Sha256& digest) const {
  const std::lock_guard lock(mutex_);
  const auto promise = promises_.find(digest);
  return promise == promises_.end() ? std::nullopt : promise->second->cache->home();
}

std::vector<SharedUse> SharedPlaces::Uses() const {
  std::vector<SharedUse> uses;
  for (const std::unique_ptr<Place>& place : places_) {
    uses.push_back({.place = place->cache->name(),
                    .images = place->images,
                    .layers = place->layers,
                    .packages = place->packages,
                    .listings = place->listings,
                    .blobs = place->blobs,
                    .archives = place->archives,
                    .bytes_received = place->cache->bytes_received()});
  }
  return uses;
}

}  // namespace imgbuild::builder
