// The shared cache over the places that a user named: asked in order, the first that knows is
// believed.
//
// Nothing here throws for a place: one that fails is told of once and left alone for the rest of
// the run, and what a place promised and does not give, or gives wrong, is not believed again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "builder/assemble/shared_cache.h"
#include "builder/share/cache_place.h"
#include "builder/ui/progress.h"
#include "layers/io/atomic_file.h"

namespace imgbuild::builder {

// What one place gave.
struct SharedUse {
  std::string place;
  std::size_t images = 0;
  std::size_t layers = 0;
  std::size_t packages = 0;
  std::size_t listings = 0;  // of base images' layers
  std::size_t blobs = 0;     // layers and packages' files whose bytes came
  std::size_t archives = 0;
  std::uint64_t bytes_received = 0;

  bool operator==(const SharedUse&) const = default;
};

class SharedPlaces : public SharedCache {
 public:
  // Borrows the progress.
  SharedPlaces(std::vector<std::unique_ptr<CachePlace>> places, Progress& progress);
  ~SharedPlaces() override;

  std::optional<std::vector<SharedPlatform>> FindImage(const specs::Sha256& key) override;
  std::optional<layers::LayerInfo> FindLayer(const specs::Sha256& key) override;
  std::vector<std::optional<std::string>> FindPackages(const std::vector<specs::Sha256>& keys,
                                                       std::string_view codec) override;
  std::vector<std::optional<std::string>> FindListings(
      const std::vector<specs::Sha256>& keys) override;
  bool FetchBlobs(const std::vector<specs::Descriptor>& blobs, layers::Store& store) override;
  bool FetchFrames(const std::vector<layers::FrameRecord>& frames, layers::Store& store) override;
  void FetchArchives(const std::vector<specs::Sha256>& archives, layers::Store& store) override;

  // Whether something that was promised could not be had: an image that counts on it has to be
  // built without.
  bool broke_promise() const { return broke_promise_; }

  // Where registries may take a promised blob from without its bytes passing here.
  std::optional<BlobHome> HomeOf(const specs::Sha256& digest) const;

  // Of all places, in their order.
  std::vector<SharedUse> Uses() const;

 private:
  struct Place;

  template <typename Ask>
  void AskPlaces(Ask&& ask);
  template <typename Put>
  bool FetchAll(std::vector<EntryBlob> blobs, layers::Store& store, Put&& put);
  std::optional<std::vector<SharedPlatform>> ReadImage(Place& place, const CacheEntry& entry);
  std::optional<std::string> FindPackage(const specs::Sha256& key);
  std::optional<std::string> FindListing(const specs::Sha256& key);
  bool Fetch(const EntryBlob& blob, layers::AtomicFile& file);
  void FetchArchive(const specs::Sha256& archive, layers::Store& store);
  void Promise(Place& place, const specs::Sha256& digest);
  bool IsBroken(const specs::Sha256& digest) const;
  void Fail(Place& place, const specs::Error& error);

  std::vector<std::unique_ptr<Place>> places_;
  Progress& progress_;
  std::atomic<bool> broke_promise_ = false;
  mutable std::mutex mutex_;
  std::map<specs::Sha256, Place*> promises_;      // blobs
  std::set<specs::Sha256> broken_;                // blobs
  std::map<specs::Sha256, std::string> records_;  // of packages, by the entry's key
};

}  // namespace imgbuild::builder
