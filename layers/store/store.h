// The content-addressed cache.
//
// Problem: many builds, at once and one after the other, share what they made; each may be killed
// at any instant, and a machine may lose power. The cache must then be smaller, never wrong.
//
// Every entry is named by a digest: of its content (downloads, frames, blobs) or of all inputs of
// the step that made it (packages, actions, trees). It is written under tmp/ and renamed into
// place, so that readers see all of it or nothing. Power loss may leave a renamed file short or
// empty; but for trees nothing is synced, which saves waiting for the disk some hundred times: what
// is short is not found, packages and actions begin with a digest of themselves, frames carry
// checksums that the layer writer verifies, downloads are hashed unless they look as they did when
// they came, blobs of another process when they are placed in an output. That output is synced.
//
// Disks fail and people edit, so an entry may also go wrong after it was published. Whoever finds
// content that cannot be right calls Recheck: it reads the entry again and removes it if it is
// wrong, so that it can be made again at once. Blobs, which outputs share as hard links, are
// read-only; who owns an output, or is root, may still write to them.
//
// Invariant: an entry that Find returns was whole when it was published, and has its size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "layers/io/atomic_file.h"
#include "layers/store/entry_lock.h"
#include "layers/store/partial_download.h"
#include "layers/store/store_paths.h"
#include "layers/store/verified_files.h"
#include "specs/base/digest.h"

namespace imgbuild::layers {

// Which frame holds a package's files: FrameInfo of layers/write in the store's words.
struct FrameRecord {
  std::string codec;
  std::uint64_t tar_size = 0;         // of the package's entries
  std::uint64_t compressed_size = 0;  // of the file that holds the frame
  specs::Sha256 digest;               // of the same
  // What lies in that file around the frame, and makes a layer of it (FramedLayer of layers/write).
  std::uint64_t before = 0;
  std::uint64_t after = 0;

  bool operator==(const FrameRecord&) const = default;
};

struct StoredPackage {
  std::string facts;  // as given to PutPackage
  FrameRecord frame;
  std::filesystem::path frame_path;  // "" for an empty frame
};

struct StoreFault {
  std::filesystem::path path;
  std::string reason;
  std::string kept_because;  // "": it was removed
};

// Thread-safe, and safe against other processes on the same directory.
class Store {
 public:
  // Makes what is missing below `root` and removes what killed processes left there (stale.h).
  //
  // Here and in all that writes, an Error names the path, and where the cache cannot be written
  // also the ways to another place for it.
  explicit Store(std::filesystem::path root);

  const StorePaths& paths() const { return paths_; }

  // The path of a verified archive.
  std::optional<std::filesystem::path> FindDownload(const specs::Sha256& digest) const;
  std::unique_ptr<PartialDownload> OpenDownload(const specs::Sha256& digest);
  // Publishes it. REQUIRES: its Digest() gave `digest`.
  void PutDownload(const specs::Sha256& digest, PartialDownload& whole);
  // Whether it looks as it did when it was hashed, by this process or another. Otherwise, hash it
  // and say so; `stamp` is from before.
  bool IsVerified(const specs::Sha256& download) const;
  void NoteVerified(const specs::Sha256& download, const FileStamp& stamp);
  // Whether each file inside the wheel of that digest was found to be as RECORD says.
  bool IsRecordVerified(const specs::Sha256& wheel) const;
  void NoteRecordVerified(const specs::Sha256& wheel);
  // Reads it again and removes it where it is not what its name says. Whether it is there and
  // right.
  bool RecheckDownload(const specs::Sha256& digest);

  std::optional<StoredPackage> FindPackage(const specs::Sha256& key, std::string_view codec) const;
  // Publishes the frame, which `frame_file` holds, and then the package. An empty frame needs none;
  // without its frame a package is not found before that came by PutFrame.
  void PutPackage(const specs::Sha256& key, const FrameRecord& frame, std::string_view facts,
                  AtomicFile* frame_file);
  bool HasFrame(const FrameRecord& frame) const;
  // REQUIRES: `file` holds the bytes of that digest.
  void PutFrame(const specs::Sha256& digest, AtomicFile& file);
  // Removes its facts, which nothing could be made of; its frame stays.
  void DropPackage(const specs::Sha256& key, std::string_view codec);
  // As RecheckDownload. Packages whose frame was removed are not found any more.
  bool RecheckFrame(const specs::Sha256& digest);

  std::optional<std::filesystem::path> FindBlob(const specs::Sha256& digest,
                                                std::uint64_t size) const;
  // Publishes what `file` holds, read-only, under its digest; replaces what is there.
  void PutBlob(const specs::Sha256& digest, AtomicFile& file);
  void PutBlob(const specs::Sha256& digest, std::string_view bytes);
  // Publishes a frame as a blob without copying it, and makes it read-only. False where the file
  // system has no hard links. REQUIRES: this process made the frame.
  bool PutFrameAsBlob(const specs::Sha256& digest);
  // A blob on its way from somewhere. What lies there with another size than this is removed.
  std::unique_ptr<PartialDownload> OpenBlob(const specs::Sha256& digest, std::uint64_t size);
  // Publishes it, read-only. REQUIRES: its Digest() gave `digest`.
  void PutBlob(const specs::Sha256& digest, PartialDownload& whole);
  // As RecheckDownload.
  bool RecheckBlob(const specs::Sha256& digest);
  // Whether this object published it: then there was no time for it to go wrong.
  bool IsFresh(const specs::Sha256& blob) const;

  std::optional<std::string> FindAction(const specs::Sha256& key) const;
  void PutAction(const specs::Sha256& key, std::string_view result);

  std::optional<std::filesystem::path> FindTree(const specs::Sha256& key) const;
  // As RecheckDownload, for the directory and all below it. REQUIRES: Lock("tree", key) is held.
  bool RecheckTree(const specs::Sha256& key);
  // Moves a directory made below paths().Temporary() into place, or removes it where another build
  // was faster.
  std::filesystem::path PutTree(const specs::Sha256& key, const std::filesystem::path& directory);

  // A file to be filled and given to one of the above.
  std::unique_ptr<AtomicFile> NewFile() const;
  // A new directory below paths().Temporary().
  std::filesystem::path NewDirectory() const;
  // Held while an entry is made that another build might be making too.
  EntryLock Lock(std::string_view kind, const specs::Sha256& key) const;
  // Made if it is missing.
  std::filesystem::path IndexDirectory(std::string_view name) const;

  // Removes the packages and actions that `right` has otherwise under the same key, so that they
  // are made anew. Returns how many.
  std::size_t DropDiffering(const Store& right);

  // For collect.h. Whether no other process works in the cache; then whoever comes waits until
  // LetOthersIn.
  bool TryToBeAlone();
  void LetOthersIn();

  // Reads everything and removes what is wrong. What others remove meanwhile is passed over.
  std::vector<StoreFault> Verify();

 private:
  StorePaths paths_;
  FileDescriptor presence_;  // stale.h
  mutable std::mutex mutex_;
  std::set<specs::Sha256> fresh_;  // blobs
  mutable VerifiedFiles verified_;
};

}  // namespace imgbuild::layers
