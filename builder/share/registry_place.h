// A reference in a registry as a cache: an image that was pushed, by its recipe annotations, or an
// artifact of entries (cache_artifact.h). Its manifests are read once, when it is first asked.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "builder/registry/registry.h"
#include "builder/share/cache_client.h"
#include "builder/share/cache_place.h"

namespace imgbuild::builder {

class RegistryPlace : public CachePlace {
 public:
  // `reference` is a tag or a digest. The registry sends through `client`.
  RegistryPlace(std::unique_ptr<CacheClient> client, std::unique_ptr<Registry> registry,
                std::string reference);

  const std::string& name() const override { return name_; }
  std::optional<CacheEntry> Find(const EntryName& name) override;
  bool Read(const EntryBlob& blob, layers::Sink& sink,
            const std::function<void()>& restart) override;
  std::optional<BlobHome> home() const override {
    return BlobHome{registry_->endpoint().host, registry_->endpoint().repository};
  }
  std::uint64_t bytes_received() const override { return client_->bytes_received(); }

 private:
  void Load();

  const std::unique_ptr<CacheClient> client_;
  const std::unique_ptr<Registry> registry_;
  const std::string reference_;
  const std::string name_;

  std::mutex mutex_;  // held while it is loaded
  bool loaded_ = false;
  std::map<EntryName, CacheEntry> entries_;
  std::map<specs::Sha256, std::string> documents_;  // constant once loaded
};

}  // namespace imgbuild::builder
