#include "layers/image/layout.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <mutex>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include "layers/image/copy_file.h"
#include "layers/image/output_blob.h"
#include "layers/image/placed_blobs.h"
#include "layers/image/reachable.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "layers/io/in_parallel.h"
#include "layers/store/cache_folder.h"
#include "specs/base/error.h"
#include "specs/oci/json_document.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::Descriptor;

constexpr int kJobs = 4;  // blobs placed at once

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

bool IsTemporary(const fs::path& path) {
  return path.filename().string().starts_with(kTemporaryPrefix);
}

void MakeDirectories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw FileError("create", path, error.value());
}

// Whether nothing lies there but what a layout has whose making was cut off.
bool IsUnfinished(const fs::path& directory) {
  for (const fs::path& path : EntriesOf(directory)) {
    if (!IsTemporary(path) && path.filename() != "blobs") return false;
  }
  for (const fs::path& path : EntriesOf(directory / "blobs")) {
    if (path.filename() != "sha256") return false;
  }
  for (const fs::path& path : EntriesOf(directory / "blobs" / "sha256")) {
    if (!IsTemporary(path) && !specs::Sha256::Parse(path.filename().string())) return false;
  }
  return true;
}

fs::path MarkerOf(const fs::path& directory) { return directory / "oci-layout"; }

// Which names are in it; their bytes were synced when they were written.
void SyncDirectory(const fs::path& directory) {
  const FileDescriptor fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || fsync(fd.get()) != 0) throw FileError("sync", directory, errno);
}

// One writer at a time, whatever cache it works with, where the file system knows such locks.
FileDescriptor LockDirectory(const fs::path& directory) {
  FileDescriptor fd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) throw FileError("open", directory, errno);
  while (flock(fd.get(), LOCK_EX) != 0 && errno == EINTR) {
  }
  return fd;
}

class LayoutWriter {
 public:
  LayoutWriter(Store& store, const fs::path& directory, WriteMeter* meter)
      : store_(store),
        directory_(directory),
        meter_(meter),
        record_(store.paths().Layout(directory)),
        path_(fs::absolute(directory).lexically_normal()) {}

  // REQUIRES: the root is the last of `blobs`.
  LayoutResult Write(const std::vector<OutputBlob>& blobs, const std::vector<std::string>& tags) {
    const EntryLock lock = store_.Lock("layout", specs::HashOf(record_.string()));
    RequireLayoutPlace(directory_);
    MakeDirectories(directory_);
    const FileDescriptor directory_lock = LockDirectory(directory_);
    ReadRecord();
    Begin();
    ReadIndex();
    Intend(blobs);
    PlaceAll(blobs);
    if (result_.blobs_placed > 0) SyncDirectory(Blobs());
    WriteIndex(TaggedIndex(index_, blobs.back().descriptor, tags), blobs.size());
    Record();
    return result_;
  }

 private:
  fs::path Marker() const { return MarkerOf(directory_); }
  fs::path Index() const { return directory_ / "index.json"; }
  fs::path Blobs() const { return directory_ / "blobs" / "sha256"; }
  fs::path BlobPath(const specs::Sha256& digest) const { return Blobs() / digest.Hex(); }

  // Without a marker, it is of a layout that is not there any more.
  void ReadRecord() {
    if (!Exists(record_)) return;
    LayoutRecord record = ParseLayoutRecord(ReadFile(record_));
    record_says_where_ = record.layout == path_;
    recorded_ = std::move(record.blobs);
    if (Exists(Marker())) placed_ = recorded_;
  }

  // The marker first: whoever is cut off after it leaves a layout without images, before it a
  // directory that IsUnfinished knows.
  void Begin() {
    if (Exists(Marker())) {
      specs::RequireLayoutMarker(ReadFile(Marker(), specs::kMaxDocument), Marker().string());
    } else {
      WriteFileAtomically(Marker(), kLayoutMarker);
    }
    MakeDirectories(Blobs());
    // Nobody else is at it: they are of writers that were killed.
    for (const fs::path& folder : {directory_, Blobs()}) {
      for (const fs::path& path : EntriesOf(folder)) {
        if (IsTemporary(path)) unlink(path.c_str());
      }
    }
  }

  void ReadIndex() {
    if (!Exists(Index())) return;
    index_text_ = ReadFile(Index(), specs::kMaxDocument);
    index_ = specs::ParseLayoutIndex(index_text_, Index().string());
  }

  // Before anything is placed, so that it is known as ours after a kill, too.
  void Intend(const std::vector<OutputBlob>& blobs) {
    for (const OutputBlob& blob : blobs) {
      const specs::Sha256& digest = blob.descriptor.digest;
      if (!placed_.contains(digest) && !FileStamp::Of(BlobPath(digest))) {
        placed_[digest] = {.stamp = {}, .origin = BlobOrigin::kPlaced};
      }
    }
    Record();
  }

  void Record() {
    if (placed_ == recorded_ && record_says_where_) return;
    InCache(record_, [this] {
      AtomicFile file(record_.parent_path());
      file.Write(RenderLayoutRecord({.layout = path_, .blobs = placed_}));
      file.PublishUnsynced(record_);
    });
    recorded_ = placed_;
    record_says_where_ = true;
  }

  // Copying takes a processor as long as it takes a disk, so several go at once. One that is there
  // unchanged is not looked into.
  void PlaceAll(const std::vector<OutputBlob>& blobs) {
    std::vector<const OutputBlob*> missing;
    for (const OutputBlob& blob : blobs) {
      if (!IsUnchanged(blob)) missing.push_back(&blob);
    }
    std::ranges::stable_sort(missing, std::greater(),
                             [](const OutputBlob* blob) { return blob->descriptor.size; });
    std::uint64_t bytes = 0;
    for (const OutputBlob* blob : missing) bytes += blob->descriptor.size;
    if (meter_ != nullptr && !missing.empty()) meter_->Begin(bytes);
    InParallel(missing.size(), kJobs, [&](std::size_t i) { Place(*missing[i]); });
  }

  bool IsUnchanged(const OutputBlob& output) const {
    const std::optional<FileStamp> there = FileStamp::Of(BlobPath(output.descriptor.digest));
    const auto known = placed_.find(output.descriptor.digest);
    return there && known != placed_.end() && known->second.stamp == *there &&
           there->size == output.descriptor.size;
  }

  // Thread-safe for different blobs.
  void Place(const OutputBlob& output) {
    const Descriptor& blob = output.descriptor;
    const fs::path target = BlobPath(blob.digest);
    const std::optional<FileStamp> there = FileStamp::Of(target);
    const std::optional<PlacedBlob> known = Known(blob.digest);
    // What another tool put there, or put there anew, is not ours to remove.
    const BlobOrigin origin = there && (!known || known->IsReplacedBy(*there)) ? BlobOrigin::kFound
                              : known                                          ? known->origin
                                      : BlobOrigin::kPlaced;
    if (there && there->size == blob.size && HashFile(target) == blob.digest) {
      Remember(blob.digest, {*there, origin});
      Tell(blob.size);
      return;
    }
    // Where it was a link to the store's, both are wrong now.
    if (there && output.IsOf(store_) && store_.FindBlob(blob.digest, blob.size) &&
        !store_.RecheckBlob(blob.digest)) {
      throw Damaged(store_, output);
    }
    Put(output, target);
    const FileStamp stamp = FileStamp::Of(target).value_or(FileStamp());
    if (stamp.size != blob.size) throw Damaged(store_, output);
    Remember(blob.digest, {stamp, origin});
    const std::lock_guard lock(mutex_);
    ++result_.blobs_placed;
    result_.bytes_placed += blob.size;
  }

  std::optional<PlacedBlob> Known(const specs::Sha256& digest) {
    const std::lock_guard lock(mutex_);
    const auto known = placed_.find(digest);
    return known == placed_.end() ? std::nullopt : std::optional(known->second);
  }

  void Remember(const specs::Sha256& digest, const PlacedBlob& placed) {
    const std::lock_guard lock(mutex_);
    placed_[digest] = placed;
  }

  void Tell(std::uint64_t bytes) {
    if (meter_ != nullptr) meter_->Advance(bytes);
  }

  void Put(const OutputBlob& blob, const fs::path& target) {
    const fs::path temporary =
        Blobs() / fmt::format("{}{}-{}", kTemporaryPrefix, getpid(), blob.descriptor.digest.Hex());
    if (blob.IsDocument()) {
      WriteFileAtomically(target, blob.bytes);
      Tell(blob.bytes.size());
    } else {
      const fs::path source = RequireFile(store_, blob);
      if (blob.IsOf(store_)) {
        LinkOrCopy(source, temporary, meter_);
      } else {
        ReflinkOrCopy(source, temporary, meter_);
      }
      const bool known_right = blob.IsOf(store_) && store_.IsFresh(blob.descriptor.digest);
      if (!known_right && HashFile(temporary) != blob.descriptor.digest) {
        unlink(temporary.c_str());
        throw Damaged(store_, blob);
      }
      if (rename(temporary.c_str(), target.c_str()) != 0) {
        const int reason = errno;
        unlink(temporary.c_str());
        throw FileError("create", target, reason);
      }
    }
  }

  void WriteIndex(const specs::LayoutIndex& index, std::size_t blob_count) {
    const std::string text = specs::RenderLayoutIndex(index);
    if (text != index_text_) WriteFileAtomically(Index(), text);
    // Also where another run was killed before it came to that.
    if (placed_.size() == blob_count) return;
    if (const auto reached = Reachable(directory_, index)) RemoveOthers(*reached);
  }

  void RemoveOthers(const std::set<specs::Sha256>& reached) {
    std::erase_if(placed_, [&](const auto& entry) {
      const auto& [digest, blob] = entry;
      if (reached.contains(digest)) return false;
      const auto there = FileStamp::Of(BlobPath(digest));
      if (there && blob.origin == BlobOrigin::kPlaced && !blob.IsReplacedBy(*there)) {
        unlink(BlobPath(digest).c_str());
      }
      return true;
    });
  }

  Store& store_;
  const fs::path directory_;
  WriteMeter* const meter_;  // may be null
  const fs::path record_;
  const fs::path path_;  // absolute, as the record has it
  bool record_says_where_ = false;
  std::string index_text_;
  specs::LayoutIndex index_;
  PlacedBlobs recorded_;
  std::mutex mutex_;  // of what follows, while blobs are placed
  PlacedBlobs placed_;
  LayoutResult result_;
};

}  // namespace

void RequireLayoutPlace(const fs::path& directory) {
  if (!Exists(directory) || Exists(MarkerOf(directory))) return;
  std::error_code ignored;
  if (fs::is_directory(directory, ignored) && IsUnfinished(directory)) return;
  throw specs::Error(fmt::format("{} is there already and is no OCI layout", directory.string()))
      .Hint("name another output with -o oci:DIRECTORY");
}

specs::LayoutIndex TaggedIndex(specs::LayoutIndex index, const Descriptor& root,
                               const std::vector<std::string>& tags) {
  std::erase_if(index.entries, [&](const specs::LayoutEntry& entry) {
    return std::find(tags.begin(), tags.end(), entry.ref_name) != tags.end();
  });
  for (const std::string& tag : tags) {
    index.entries.push_back(specs::MakeLayoutEntry(root, tag));
  }
  std::stable_sort(index.entries.begin(), index.entries.end(),
                   [](const specs::LayoutEntry& a, const specs::LayoutEntry& b) {
                     return a.ref_name < b.ref_name;
                   });
  return index;
}

namespace {

LayoutResult WriteBlobs(Store& store, const std::vector<OutputBlob>& blobs,
                        const fs::path& directory, const std::vector<std::string>& tags,
                        WriteMeter* meter) {
  return specs::WithContext(fmt::format("while writing {}", directory.string()), [&] {
    return LayoutWriter(store, directory, meter).Write(blobs, tags);
  });
}

}  // namespace

LayoutResult WriteLayout(Store& store, const Image& image, const fs::path& directory,
                         const std::vector<std::string>& tags, WriteMeter* meter) {
  return WriteBlobs(store, OutputBlobs(image, store), directory, tags, meter);
}

LayoutResult WriteLayout(Store& store, const ImageSource& image, const fs::path& directory,
                         const std::vector<std::string>& tags, WriteMeter* meter) {
  return WriteBlobs(store, OutputBlobs(image), directory, tags, meter);
}

}  // namespace imgbuild::layers
