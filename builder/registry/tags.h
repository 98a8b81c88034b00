// A repository's tags: listing and deleting (OCI distribution-spec v1.1, "Listing Tags", "Deleting
// tags", "Deleting Manifests").
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "builder/registry/registry.h"
#include "specs/base/digest.h"

namespace imgbuild::builder {

// In the order of their bytes, each once. Throws Error where there is no such repository.
std::vector<std::string> ListTags(Registry& registry);

// Which of `tags` lead to that manifest.
std::vector<std::string> TagsThatLeadTo(Registry& registry, const specs::Sha256& manifest,
                                        const std::vector<std::string>& tags, int jobs = 6);

// The same of all tags there are; nullopt where they are more than `most`, or cannot be told: some
// registries let images be deleted, but not their tags listed.
std::optional<std::vector<std::string>> FindTagsOf(Registry& registry,
                                                   const specs::Sha256& manifest, std::size_t most);

enum class TagDeletion {
  kDeleted,
  kUnknown,      // there was none of that name
  kUnsupported,  // the registry deletes manifests alone, with all their tags
};

// The tag alone; what it led to stays. Throws Error where it may not be.
TagDeletion DeleteTag(Registry& registry, const std::string& tag);

// The manifest and all tags that lead to it. Whether it was there. Throws Error where it may not
// be, or where the registry deletes nothing at all.
bool DeleteManifest(Registry& registry, const specs::Sha256& manifest);

}  // namespace imgbuild::builder
