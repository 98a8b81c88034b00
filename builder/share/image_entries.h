// A pushed image as a cache: what its recipe annotations claim (builder/assemble).
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "builder/share/cache_entry.h"
#include "specs/oci/descriptor.h"

namespace imgbuild::builder {

struct ImageEntries {
  std::map<EntryName, CacheEntry> entries;
  std::map<specs::Sha256, std::string> documents;  // what its "manifest.N" and "config.N" are
};

// Bounds of what is read of one image.
inline constexpr std::size_t kMostSharedPlatforms = 16;

// `root` is the manifest or index of the image, `read` gives further documents, verified. An image
// of others, without annotations of ours, has no entries and only its root is looked at. Throws
// Error for documents that are none.
using ReadDocument = std::function<std::string(const specs::Descriptor&)>;
ImageEntries EntriesOfImage(const std::string& root, const ReadDocument& read_manifest,
                            const ReadDocument& read_config);

}  // namespace imgbuild::builder
