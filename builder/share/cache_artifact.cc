#include "builder/share/cache_artifact.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "specs/oci/descriptor.h"
#include "specs/oci/document.h"
#include "specs/oci/manifest.h"
#include "specs/oci/media_types.h"

namespace imgbuild::builder {
namespace {

constexpr char kKind[] = "imgbuild.cache.kind";
constexpr char kKey[] = "imgbuild.cache.key";
constexpr char kBlob[] = "imgbuild.cache.blob";

using Annotations = std::map<std::string, std::string>;

std::string TextOf(const Annotations& annotations, const char* name) {
  const auto found = annotations.find(name);
  return found == annotations.end() ? "" : found->second;
}

std::string RenderBlob(const EntryName& name, const EntryBlob& blob) {
  return specs::RenderDescriptor({.media_type = std::string(kCacheBlobType),
                                  .digest = blob.digest,
                                  .size = blob.size,
                                  .platform = {},
                                  .annotations = {{kKind, std::string(EntryKindName(name.kind))},
                                                  {kKey, name.key.Hex()},
                                                  {kBlob, blob.name}}});
}

// What an entry adds to the manifest.
std::size_t RenderedSize(const NamedEntry& entry) {
  std::size_t size = 0;
  for (const EntryBlob& blob : entry.entry.blobs) size += RenderBlob(entry.name, blob).size() + 1;
  return size;
}

}  // namespace

bool IsCacheArtifact(std::string_view manifest) {
  const specs::Document document = specs::ParseDocument(manifest, "the cache");
  return document.kind == specs::DocumentKind::kManifest &&
         document.artifact_type == kCacheArtifactType;
}

std::string RenderCacheArtifact(const CacheArtifact& artifact) {
  std::string text = fmt::format(
      R"({{"schemaVersion":2,"mediaType":"{}","artifactType":"{}","config":{},"layers":[)",
      specs::kOciManifest, kCacheArtifactType,
      specs::RenderDescriptor({.media_type = std::string(kEmptyConfigType),
                               .digest = specs::HashOf(kEmptyConfig),
                               .size = kEmptyConfig.size(),
                               .platform = {},
                               .annotations = {}}));
  bool first = true;
  for (const NamedEntry& entry : artifact) {
    for (const EntryBlob& blob : entry.entry.blobs) {
      if (!std::exchange(first, false)) text += ',';
      text += RenderBlob(entry.name, blob);
    }
  }
  return text + "]}";
}

CacheArtifact ParseCacheArtifact(std::string_view manifest) {
  CacheArtifact artifact;
  std::map<EntryName, std::size_t> positions;
  for (const specs::DocumentLink& link : specs::ParseDocument(manifest, "the cache").layers) {
    const specs::Descriptor& descriptor = link.descriptor;
    const auto kind = ParseEntryKind(TextOf(descriptor.annotations, kKind));
    const auto key = specs::Sha256::Parse(TextOf(descriptor.annotations, kKey));
    if (!kind || !key) continue;
    const EntryName name{*kind, *key};
    const auto [position, fresh] = positions.emplace(name, artifact.size());
    if (fresh) artifact.push_back({.name = name, .entry = {}});
    artifact[position->second].entry.blobs.push_back(
        {TextOf(descriptor.annotations, kBlob), descriptor.digest, descriptor.size});
  }
  return artifact;
}

CacheArtifact Merge(CacheArtifact artifact, const CacheArtifact& added, std::size_t limit) {
  std::set<EntryName> names;
  for (const NamedEntry& entry : added) names.insert(entry.name);
  std::erase_if(artifact, [&](const NamedEntry& entry) { return names.contains(entry.name); });
  artifact.insert(artifact.end(), added.begin(), added.end());
  std::size_t size = RenderCacheArtifact({}).size();
  auto oldest = artifact.end();
  while (oldest != artifact.begin()) {
    size += RenderedSize(*std::prev(oldest));
    if (size > limit) break;
    --oldest;
  }
  artifact.erase(artifact.begin(), oldest);
  return artifact;
}

std::map<EntryName, CacheEntry> EntriesOfArtifact(const CacheArtifact& artifact) {
  std::map<EntryName, CacheEntry> entries;
  for (const NamedEntry& entry : artifact) entries.insert_or_assign(entry.name, entry.entry);
  return entries;
}

}  // namespace imgbuild::builder
