// Packages, listings and archives of many builds as an artifact in a registry (OCI image-spec v1.1,
// manifest.md, "Guidelines for Artifact Usage"): an image manifest with an artifactType of ours,
// the empty configuration, and one descriptor for each blob of an entry, annotated with
//
//   imgbuild.cache.kind  "package", "listing" or "archive"
//   imgbuild.cache.key   the entry's key, hexadecimal
//   imgbuild.cache.blob  which of its blobs it is: "record", "frame", "listing", "archive"
//
// The newest entries are the last. A manifest has its bounds, so the oldest are dropped.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "builder/share/cache_entry.h"

namespace imgbuild::builder {

inline constexpr std::string_view kCacheArtifactType = "application/vnd.imgbuild.cache.v1";
inline constexpr std::string_view kCacheBlobType = "application/vnd.imgbuild.cache.blob.v1";

// manifest.md, "Guidance for an Empty Descriptor".
inline constexpr std::string_view kEmptyConfigType = "application/vnd.oci.empty.v1+json";
inline constexpr std::string_view kEmptyConfig = "{}";

// What the manifest is at most: registries take no more than 4 MiB.
inline constexpr std::size_t kLargestArtifact = 3u << 20;

struct NamedEntry {
  EntryName name;
  CacheEntry entry;

  bool operator==(const NamedEntry&) const = default;
};

// The oldest first, each name once.
using CacheArtifact = std::vector<NamedEntry>;

bool IsCacheArtifact(std::string_view manifest);

// ParseCacheArtifact(RenderCacheArtifact(a)) == a. Descriptors that are not in our form are passed
// over; throws Error for what is no manifest. REQUIRES of Render: the entries have no documents.
std::string RenderCacheArtifact(const CacheArtifact& artifact);
CacheArtifact ParseCacheArtifact(std::string_view manifest);

// `artifact` with `added` as the newest, those of the same names replaced, and of the oldest as
// many left out as `limit` bytes of manifest take.
CacheArtifact Merge(CacheArtifact artifact, const CacheArtifact& added,
                    std::size_t limit = kLargestArtifact);

std::map<EntryName, CacheEntry> EntriesOfArtifact(const CacheArtifact& artifact);

}  // namespace imgbuild::builder
