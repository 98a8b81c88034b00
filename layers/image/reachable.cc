#include "layers/image/reachable.h"

#include <string>
#include <vector>

#include <fmt/core.h>

#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/oci/json_document.h"
#include "specs/oci/manifest_links.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool HasOnly(std::string_view text, const std::string& allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

// blobs/ALGORITHM/ENCODED (image-layout.md, "Blobs"); "" for what is no digest and may lead astray.
fs::path BlobPath(const fs::path& layout, std::string_view digest) {
  const std::size_t colon = digest.find(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view algorithm = digest.substr(0, colon);
  const std::string_view encoded = digest.substr(colon + 1);
  if (!HasOnly(algorithm, fmt::format("{}+_-", kLower)) ||
      !HasOnly(encoded, fmt::format("{}{}=_-", kLower, kUpper))) {
    return {};
  }
  return layout / "blobs" / algorithm / encoded;
}

}  // namespace

std::optional<std::set<specs::Sha256>> Reachable(const fs::path& layout,
                                                 const specs::LayoutIndex& index) {
  std::set<specs::Sha256> reached;
  std::set<std::string> seen;
  std::vector<std::string> left;
  for (const specs::LayoutEntry& entry : index.entries) left.push_back(entry.digest);
  auto add = [&](const std::string& digest) {
    if (const auto known = specs::ParseDigest(digest)) reached.insert(*known);
  };
  while (!left.empty()) {
    const std::string digest = std::move(left.back());
    left.pop_back();
    if (!seen.insert(digest).second) continue;
    add(digest);
    const fs::path path = BlobPath(layout, digest);
    if (path.empty()) return std::nullopt;
    try {
      const specs::ManifestLinks links =
          specs::ParseManifestLinks(ReadFile(path, specs::kMaxDocument), path.string());
      for (const std::string& blob : links.blobs) add(blob);
      left.insert(left.end(), links.manifests.begin(), links.manifests.end());
    } catch (const specs::Error&) {
      return std::nullopt;
    }
  }
  return reached;
}

}  // namespace imgbuild::layers
