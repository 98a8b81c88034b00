// Project pages on disk, in SimplePage's compact form, with a freshness rule of our own for indexes
// that state none (RFC 9111 where they do).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "builder/pypi/simple_page.h"

namespace imgbuild::builder {

struct CachedPage {
  std::optional<SimplePage> page;  // absent: the index said that it has no such project
  std::int64_t fetched = 0;        // seconds since the epoch
  std::int64_t fresh_until = 0;    // seconds since the epoch
  std::string etag;                // validators as the index gave them; "" for none
  std::string last_modified;
};

// Files below one folder, each named after a hash of index URL and project name. Entries are
// checksummed and replaced by rename; one that is damaged, of another layout or unreadable is as
// good as absent, and one that cannot be written is only a cache less. Safe from many threads and
// processes.
class PageCache {
 public:
  // An empty path: nothing is kept.
  explicit PageCache(std::filesystem::path folder);

  std::optional<CachedPage> Load(std::string_view index_url, std::string_view project) const;
  void Store(std::string_view index_url, std::string_view project, const CachedPage& page) const;

 private:
  std::filesystem::path PathOf(std::string_view index_url, std::string_view project) const;

  std::filesystem::path folder_;
};

// METADATA texts by the SHA-256 of their wheel, kept for good. The same promises.
class MetadataCache {
 public:
  explicit MetadataCache(std::filesystem::path folder);

  std::optional<std::string> Load(const specs::Sha256& wheel) const;
  void Store(const specs::Sha256& wheel, std::string_view metadata) const;

 private:
  std::filesystem::path PathOf(const specs::Sha256& wheel) const;

  std::filesystem::path folder_;
};

}  // namespace imgbuild::builder
