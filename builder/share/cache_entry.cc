#include "builder/share/cache_entry.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "specs/base/key.h"
#include "specs/base/text.h"

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

std::string RenderLayerDocument(const layers::LayerInfo& layer) {
  return fmt::format("{} {} {} {}", layer.digest.Hex(), layer.size, layer.diff_id.Hex(),
                     layer.uncompressed_size);
}

std::optional<layers::LayerInfo> ParseLayerDocument(std::string_view text) {
  const std::vector<std::string_view> words = specs::SplitWords(text);
  if (words.size() != 4) return std::nullopt;
  const auto digest = specs::Sha256::Parse(words[0]);
  const auto size = specs::ParseUnsigned(words[1]);
  const auto diff_id = specs::Sha256::Parse(words[2]);
  const auto plain = specs::ParseUnsigned(words[3]);
  if (!digest || !size || !diff_id || !plain) return std::nullopt;
  return layers::LayerInfo{*digest, *size, *diff_id, *plain};
}

}  // namespace imgbuild::builder
