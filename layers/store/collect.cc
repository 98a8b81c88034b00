#include "layers/store/collect.h"

#include <algorithm>
#include <map>
#include <utility>

#include <sys/stat.h>

#include "layers/store/cache_folder.h"
#include "layers/store/entry_lock.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kOthersGrace = 24 * 3600;  // as exact as access times are

struct Found {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t last_used = 0;
};

std::optional<Found> Look(const fs::path& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return std::nullopt;
  return Found{.device = status.st_dev,
               .inode = status.st_ino,
               .size = static_cast<std::uint64_t>(status.st_size),
               .last_used = std::max<std::int64_t>(status.st_atime, status.st_mtime)};
}

// A directory and all below it but for folders that are closed to us; directories themselves are
// read by whoever lists them.
Found LookBelow(const fs::path& folder) {
  Found all;
  std::error_code error;
  constexpr auto kOpenOnes = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator entry(folder, kOpenOnes, error), end;
       !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    const auto found = Look(entry->path());
    if (!found || entry->is_directory(ignored)) continue;
    all.size += found->size;
    all.last_used = std::max(all.last_used, found->last_used);
  }
  return all;
}

// When something was put there, or made what it is.
std::int64_t ChangedAt(const fs::path& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 ? status.st_ctime : 0;
}

bool IsHeld(const fs::path& lock) { return !EntryLock::Try(lock); }

// All entries, each file once.
class Listing {
 public:
  Listing(const StorePaths& paths, bool alone) {
    AddSplit(CacheKind::kDownload, paths.Downloads());
    AddSplit(CacheKind::kFrame, paths.Frames());
    AddSplit(CacheKind::kPackage, paths.Packages());
    AddSplit(CacheKind::kBlob, paths.Blobs());
    AddSplit(CacheKind::kAction, paths.Actions());
    for (const fs::path& tree : EntriesOf(paths.Trees())) {
      const auto key = specs::Sha256::Parse(tree.filename().string());
      if (key) AddFolder(CacheKind::kTree, {tree, paths.TreeDigest(*key)});
    }
    for (const fs::path& layout : EntriesOf(paths.Index("engine"))) {
      AddFolder(CacheKind::kEngine, {layout});
    }
    for (const fs::path& path : EntriesOf(paths.UnpackedImages())) {
      const auto key = specs::Sha256::Parse(path.stem().string());
      if (!key) continue;
      if (path == paths.UnpackedImage(*key)) AddImage(path, paths.UnpackedImageUse(*key), alone);
      if (path == paths.UnfinishedImage(*key)) {
        AddUnfinished(path, paths.Lock(kUnpackingLock, *key));
      }
    }
  }

  std::vector<CacheEntry> Take() { return std::move(entries_); }

 private:
  void AddSplit(CacheKind kind, const fs::path& folder) {
    for (const fs::path& part : EntriesOf(folder)) {
      for (const fs::path& path : EntriesOf(part)) AddFile(kind, path);
    }
  }

  void AddFile(CacheKind kind, const fs::path& path) {
    const auto found = Look(path);
    if (!found) return;
    const auto [known, is_new] = files_.try_emplace({found->device, found->inode}, entries_.size());
    if (is_new) {
      entries_.push_back({kind, {path}, found->size, found->last_used});
    } else {
      entries_[known->second].names.push_back(path);
    }
  }

  void AddFolder(CacheKind kind, std::vector<fs::path> names) {
    const Found found = LookBelow(names.front());
    entries_.push_back({kind, std::move(names), found.size, found.last_used});
  }

  // Whoever unpacked it before there were such files may use it without holding one.
  void AddImage(const fs::path& tree, const fs::path& use, bool alone) {
    const auto used = Look(use);
    std::vector<fs::path> names = {tree};
    if (used) names.push_back(use);
    entries_.push_back({CacheKind::kRootless, std::move(names), LookBelow(tree).size,
                        used ? used->last_used : ChangedAt(tree), used ? IsHeld(use) : !alone});
  }

  void AddUnfinished(const fs::path& tree, const fs::path& lock) {
    entries_.push_back(
        {CacheKind::kRootless, {tree}, LookBelow(tree).size, ChangedAt(tree), IsHeld(lock)});
  }

  std::vector<CacheEntry> entries_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> files_;
};

bool IsOneOf(const CacheEntry& entry, const std::set<specs::Sha256>& blobs) {
  return std::ranges::any_of(entry.names, [&](const fs::path& name) {
    const auto digest = specs::Sha256::Parse(name.filename().string());
    return digest && blobs.contains(*digest) && entry.kind != CacheKind::kAction &&
           entry.kind != CacheKind::kTree;
  });
}

bool WasUsedSince(const CacheEntry& entry) {
  const fs::path& name = entry.names.front();
  std::error_code ignored;
  const auto found = fs::is_directory(name, ignored) ? LookBelow(name) : Look(name);
  return found && found->last_used > entry.last_used;
}

}  // namespace

std::string_view CacheKindName(CacheKind kind) {
  switch (kind) {
    case CacheKind::kDownload:
      return "downloads";
    case CacheKind::kFrame:
      return "frames";
    case CacheKind::kPackage:
      return "packages";
    case CacheKind::kBlob:
      return "blobs";
    case CacheKind::kAction:
      return "actions";
    case CacheKind::kTree:
      return "trees";
    case CacheKind::kEngine:
      return "engine";
    case CacheKind::kRootless:
      return "rootless";
  }
  return "";
}

CollectPlan Collector::Plan(const CollectLimits& limits, const std::set<specs::Sha256>& in_use,
                            std::int64_t now) const {
  CollectPlan plan;
  std::vector<CacheEntry> entries = Listing(store_.paths(), alone_).Take();
  std::ranges::stable_sort(entries, {}, &CacheEntry::last_used);
  for (const CacheEntry& entry : entries) plan.size += entry.size;
  for (CacheEntry& entry : entries) {
    const std::int64_t age = now - entry.last_used;
    if (entry.held || IsOneOf(entry, in_use) || (!alone_ && age < kOthersGrace)) {
      plan.in_use += entry.size;
      continue;
    }
    const bool old = limits.max_age && age >= *limits.max_age;
    const bool too_much = limits.max_size && plan.size - plan.removed > *limits.max_size;
    if (!old && !too_much) continue;
    plan.removed += entry.size;
    plan.remove.push_back(std::move(entry));
  }
  return plan;
}

std::uint64_t Collector::Remove(const CollectPlan& plan) {
  std::uint64_t freed = 0;
  for (const CacheEntry& entry : plan.remove) {
    if (entry.kind == CacheKind::kRootless || WasUsedSince(entry)) continue;
    std::error_code error;
    if (entry.kind == CacheKind::kTree || entry.kind == CacheKind::kEngine) {
      // Not in place, since another process may find it meanwhile: moved away first, whole.
      const fs::path away = store_.NewDirectory();
      fs::rename(entry.names.front(), away / "entry", error);
      if (!error) fs::remove_all(away, error);
      for (std::size_t i = 1; i < entry.names.size(); ++i) fs::remove(entry.names[i], error);
    } else {
      for (const fs::path& name : entry.names) fs::remove(name, error);
    }
    if (!error) freed += entry.size;
  }
  return freed;
}

}  // namespace imgbuild::layers
