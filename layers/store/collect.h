// Making the cache smaller: what was not used for long goes first, and nothing that is in use.
//
// Problem: a cache that only grows fills the disk, and nobody knows what of it may go. Any entry
// may: whatever is missing is made or fetched again. So it is a question of worth, and the best
// guess is when an entry was last read or written, which file systems tell to a day (relatime).
// Entries that are one file under several names (a heavy package's frame is its layer's blob) are
// one: removing one name would free nothing.
//
// What is given as in use stays whatever its age: layers of images that lie in some layout would
// have to be made anew as soon as the next build looks at them. So do unpacked images that
// something runs in. Of those, nobody's reading tells when they were used last: runs write it down.
//
// Other processes may be at work. One that found an entry opens it a moment later, and would have
// to make it again if it went meanwhile. Where there are others, what was used within a day stays;
// where there are none, whoever comes waits until all is done.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "layers/store/store.h"
#include "specs/base/digest.h"

namespace imgbuild::layers {

enum class CacheKind { kDownload, kFrame, kPackage, kBlob, kAction, kTree, kEngine, kRootless };
std::string_view CacheKindName(CacheKind kind);  // "downloads", as its folder is called

struct CacheEntry {
  CacheKind kind = CacheKind::kDownload;
  std::vector<std::filesystem::path> names;
  std::uint64_t size = 0;
  std::int64_t last_used = 0;  // seconds since the epoch
  bool held = false;           // somebody is at it right now
};

struct CollectLimits {
  std::optional<std::uint64_t> max_size;  // bytes that may stay
  std::optional<std::int64_t> max_age;    // seconds since an entry's last use
};

struct CollectPlan {
  std::vector<CacheEntry> remove;  // oldest first
  std::uint64_t size = 0;          // of all entries, before
  std::uint64_t removed = 0;       // bytes of those in `remove`
  std::uint64_t in_use = 0;        // bytes that stay whatever the limits
};

class Collector {
 public:
  // Borrows the store for its life.
  explicit Collector(Store& store) : store_(store), alone_(store.TryToBeAlone()) {}
  ~Collector() {
    if (alone_) store_.LetOthersIn();
  }
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // Whether no other process works in the cache, for the life of this object.
  bool alone() const { return alone_; }

  // Changes nothing. `in_use` are blobs. What is to stay by its age alone may leave more than
  // max_size.
  CollectPlan Plan(const CollectLimits& limits, const std::set<specs::Sha256>& in_use,
                   std::int64_t now) const;

  // Removes what the plan says, but for what was used since, and for unpacked images, whose files
  // may belong to several users (builder/rootless/image_tree.h). Bytes that were freed.
  std::uint64_t Remove(const CollectPlan& plan);

 private:
  Store& store_;
  const bool alone_;
};

}  // namespace imgbuild::layers
