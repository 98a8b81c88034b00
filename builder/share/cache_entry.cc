#include "builder/share/cache_entry.h"

#include <algorithm>
#include <array>

#include "specs/base/key.h"

namespace imgbuild::builder {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"image", "layer", "package", "archive",
                                                    "listing"};

}  // namespace

std::string_view EntryKindName(EntryKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::optional<EntryKind> ParseEntryKind(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<EntryKind>(found - kNames.begin());
}

const EntryBlob* CacheEntry::Find(std::string_view name) const {
  const auto found = std::ranges::find(blobs, name, &EntryBlob::name);
  return found == blobs.end() ? nullptr : &*found;
}

specs::Sha256 PackageEntryKey(const specs::Sha256& package, std::string_view codec) {
  return specs::KeyBuilder("shared-package/1").Add("package", package).Add("codec", codec).Finish();
}

}  // namespace imgbuild::builder
