// What caches hold: by a recipe key, a small document and some blobs.
//
//   image     KEY of the image        no document; "manifest.N" and "config.N" of each platform
//   layer     KEY of the layer        "DIGEST SIZE DIFF-ID PLAIN-SIZE"; "layer"
//   package   PackageEntryKey         no document; "record", the package's RenderPackage text as a
//                                     zstd frame, and "frame" unless it is empty
//   archive   SHA-256 of the archive  no document; "archive"
//   listing   layers::ListingKey      no document; "listing", what lies in a base image's layer, as
//                                     a zstd frame
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/base/digest.h"

namespace imgbuild::builder {

enum class EntryKind { kImage, kLayer, kPackage, kArchive, kListing };

// "image", "layer", "package", "archive", "listing". ParseEntryKind is the inverse; nullopt for
// anything else.
std::string_view EntryKindName(EntryKind kind);
std::optional<EntryKind> ParseEntryKind(std::string_view name);

struct EntryName {
  EntryKind kind = EntryKind::kImage;
  specs::Sha256 key;

  auto operator<=>(const EntryName&) const = default;
};

struct EntryBlob {
  std::string name;
  specs::Sha256 digest;
  std::uint64_t size = 0;

  bool operator==(const EntryBlob&) const = default;
};

struct CacheEntry {
  std::string document;
  std::vector<EntryBlob> blobs;

  // Null where there is none of that name.
  const EntryBlob* Find(std::string_view name) const;
  bool operator==(const CacheEntry&) const = default;
};

// Of a package by its recipe key, whose frame is compressed by that codec.
specs::Sha256 PackageEntryKey(const specs::Sha256& package, std::string_view codec);

}  // namespace imgbuild::builder
