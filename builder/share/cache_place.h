// One place that keeps what machines made: an image or an artifact in a registry, or a server of
// the plain HTTP cache protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "builder/share/cache_entry.h"
#include "layers/io/stream.h"

namespace imgbuild::builder {

// A repository of a registry.
struct BlobHome {
  std::string host;        // "registry.example:5000"
  std::string repository;  // "team/app"

  bool operator==(const BlobHome&) const = default;
};

// Thread-safe. Throws Error where the place cannot be asked, or answers what is no answer.
class CachePlace {
 public:
  virtual ~CachePlace() = default;

  // For messages: without credentials.
  virtual const std::string& name() const = 0;

  virtual std::optional<CacheEntry> Find(const EntryName& name) = 0;

  // The bytes of a blob of one of its entries, unverified, of any number; `restart` is called
  // before the first byte of each attempt. False where the place has it no more.
  virtual bool Read(const EntryBlob& blob, layers::Sink& sink,
                    const std::function<void()>& restart) = 0;

  // Which repository its blobs may be mounted from; nullopt where it is in none.
  virtual std::optional<BlobHome> home() const { return std::nullopt; }

  // Bytes received so far.
  virtual std::uint64_t bytes_received() const = 0;
};

}  // namespace imgbuild::builder
