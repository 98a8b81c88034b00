// What a machine gives to a shared cache: entries whose blobs lie in its store.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "builder/share/cache_entry.h"
#include "layers/image/image.h"
#include "layers/io/atomic_file.h"
#include "layers/store/store.h"

namespace imgbuild::builder {

struct OutgoingBlob {
  EntryBlob blob;
  std::filesystem::path file;
  std::shared_ptr<layers::AtomicFile> made = {};  // keeps a file that is only there to be sent
};

struct OutgoingEntry {
  EntryName name;
  std::string document;
  std::vector<OutgoingBlob> blobs;

  // As whoever finds it will see it.
  CacheEntry Entry() const;
};

// Bytes that are in no store, in a file of their own.
OutgoingBlob WrittenBlob(std::string name, const std::string& bytes, const layers::Store& store);

// Of what the store has of them; the rest is left out.
std::vector<OutgoingEntry> OutgoingPackages(const std::vector<specs::Sha256>& keys,
                                            std::string_view codec, const layers::Store& store);
std::vector<OutgoingEntry> OutgoingArchives(const std::vector<specs::Sha256>& archives,
                                            const layers::Store& store);
std::vector<OutgoingEntry> OutgoingListings(const std::vector<specs::Sha256>& keys,
                                            const layers::Store& store);
// An image that was built under `key`, and its layers, without those of a base image; nothing
// where some are not here.
std::vector<OutgoingEntry> OutgoingImage(const specs::Sha256& key, const layers::Image& image,
                                         const layers::Store& store);

}  // namespace imgbuild::builder
