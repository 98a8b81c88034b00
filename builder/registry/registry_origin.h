// An image in a registry (OCI distribution-spec v1.1, "Pull"), or in a mirror of it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "builder/registry/blob_fetch.h"
#include "builder/registry/down_hosts.h"
#include "builder/registry/manifest_fetch.h"
#include "builder/registry/registry.h"
#include "builder/ui/progress.h"
#include "layers/image/image_origin.h"
#include "layers/store/store.h"

namespace imgbuild::builder {

struct PullOptions {
  int jobs = 6;  // transfers at once
  FetchOptions fetch = {};
  std::uint64_t stretch = 4u << 20;  // bytes that Read asks for at a time
  DownHosts* down = nullptr;         // shared with other images; null: of this one alone
};

struct PullResult {
  std::size_t present = 0;  // blobs that the store had
  std::size_t fetched = 0;
  std::uint64_t bytes_received = 0;  // of blobs

  bool operator==(const PullResult&) const = default;
};

// Everything goes through the store: what it has is not asked for again, except what a tag leads
// to. Memory is bounded by the documents, not by the layers.
class RegistryOrigin : public layers::ImageOrigin {
 public:
  // `registries` are tried in order: mirrors, then the registry itself. The first that has
  // `reference` (a tag or digest) is taken; for what it turns out to lack, those after it are
  // asked. As long as others follow, one that never answered is tried once, and one that is down is
  // not asked again. Borrows store, progress and options.down. Makes no request yet. REQUIRES: not
  // empty.
  RegistryOrigin(std::vector<std::unique_ptr<Registry>> registries, layers::Store& store,
                 std::string reference, Progress& progress, PullOptions options = {});

  // Throws Error where none of them has it.
  specs::Descriptor Root() override;
  void Expect(const std::vector<specs::Descriptor>& documents) override;
  std::string ReadDocument(const specs::Descriptor& document) override;
  std::string ReadConfig(const specs::Descriptor& config) override;
  // Blobs of the store, verified while they arrived.
  std::vector<layers::SourceBlob> Files(const std::vector<specs::Descriptor>& blobs) override;
  // What the store has is not fetched; by way of the store where the registry gives blobs whole.
  void Read(const std::vector<specs::Descriptor>& blobs, const TakeBytes& take) override;

  // The one that Root was found in.
  Registry& registry();
  // What Files and Read did so far.
  const PullResult& result() const { return result_; }

 private:
  struct Place {
    std::size_t index;
    Registry& registry;
    int max_tries;  // 0: as many as usual
  };

  // From the chosen registry on, until one can do it.
  template <typename Action>
  auto FromAny(Action&& action);
  // The first place from `index` on that is not down; the last one counts as up.
  std::size_t NextUp(std::size_t index) const;
  void ReadOne(const specs::Descriptor& blob, const std::function<void(layers::Source&)>& take,
               ProgressTask& task);
  std::optional<std::string> FromStore(const specs::Descriptor& document) const;

  std::vector<std::unique_ptr<Registry>> registries_;
  layers::Store& store_;
  const std::string reference_;
  Progress& progress_;
  const PullOptions options_;
  DownHosts own_down_;
  DownHosts& down_;
  std::optional<FetchedManifest> root_;
  std::size_t chosen_ = 0;
  std::mutex mutex_;  // of what follows
  std::map<specs::Sha256, std::string> documents_;
  PullResult result_;
};

}  // namespace imgbuild::builder
