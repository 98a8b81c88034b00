// Writing packages and archives to an artifact in a registry (cache_artifact.h).
//
// Entries that are there stay. Blobs go first, then the manifest, under the tag; then the tag is
// read again: whoever wrote it at the same time may have put a manifest there that knows nothing of
// our entries, and then ours is merged with theirs and put once more. Registries offer no way to
// put a manifest only where the old one still stands, so of two that do this at the very same
// instant one may lose: entries, never blobs that anybody was promised, and the next export brings
// them again.
#pragma once

#include <memory>
#include <string>

#include "builder/registry/push_memory.h"
#include "builder/registry/registry.h"
#include "builder/share/cache_artifact.h"
#include "builder/share/cache_target.h"

namespace imgbuild::builder {

class RegistryTarget : public CacheTarget {
 public:
  // `limit` bounds the manifest. Borrows memory and store.
  RegistryTarget(std::unique_ptr<Registry> registry, std::string tag, PushMemory& memory,
                 const layers::Store& store, std::size_t limit = kLargestArtifact);

  const std::string& name() const override { return name_; }
  // Images that are pushed are caches themselves.
  bool Keeps(EntryKind kind) const override {
    return kind == EntryKind::kPackage || kind == EntryKind::kArchive ||
           kind == EntryKind::kListing;
  }
  ExportResult Put(const std::vector<OutgoingEntry>& entries) override;

 private:
  CacheArtifact Current();
  void Upload(const std::vector<const OutgoingEntry*>& entries, ExportResult& result);
  void PutManifest(const std::string& manifest);

  const std::unique_ptr<Registry> registry_;
  const std::string tag_;
  const std::string name_;
  PushMemory& memory_;
  const layers::Store& store_;
  const std::size_t limit_;
};

}  // namespace imgbuild::builder
