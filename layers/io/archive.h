// Reading archives of others: tar (POSIX.1-2017 pax, ustar, GNU, v7), zip, ar, and plain
// compressed streams. The one file that knows libarchive is archive.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "layers/io/stream.h"

namespace imgbuild::layers {

enum class ArchiveType { kFile, kDirectory, kSymlink, kHardlink, kDevice, kOther };

struct ArchiveEntry {
  std::string path;  // as the archive writes it: may be absolute or climb with ".."
  ArchiveType type = ArchiveType::kFile;
  std::uint32_t mode = 0;  // 07777
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  std::int64_t mtime = 0;             // seconds since the epoch
  std::optional<std::uint64_t> size;  // as claimed; absent where the archive does not say
  std::string target;                 // of symbolic and hard links, as written
};

enum class ArchiveFormat {
  kTar,  // uncompressed, gzip, bzip2, xz, lzma or zstd, as its first bytes say
  kAr,   // the outer form of a .deb
  kAny,  // tar in those compressions, zip
};

// A forward reader. Bytes are read as they are needed, in blocks; memory does not grow with the
// archive. Throws Error where the bytes are no archive of the format, damaged or cut short; an
// entry's data is always as long as the entry claims, else an Error.
class ArchiveReader {
 public:
  // Borrows `source` for its life.
  ArchiveReader(Source& source, ArchiveFormat format);
  // Borrows the whole archive in memory (or mapped). The one way to read a zip's modes and links,
  // which stand at its end.
  ArchiveReader(std::string_view bytes, ArchiveFormat format);
  ~ArchiveReader();
  ArchiveReader(ArchiveReader&&) noexcept;
  ArchiveReader& operator=(ArchiveReader&&) noexcept;

  // The next entry, nullopt at the end. What was not read of the last one is skipped.
  std::optional<ArchiveEntry> Next();

  // The current entry's content; empty for anything but kFile. Valid until Next. Untrusted sizes
  // are the caller's to bound (BoundedSource).
  Source& Data();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What a stream of gzip, bzip2, xz, lzma or zstd holds; bytes that are none of these pass as they
// are. Borrows `source` for its life. gzip's own checksum at the end is not verified (libarchive
// does not): what must be trusted is hashed.
std::unique_ptr<Source> Decompressed(Source& source);

// Reads every entry and its data (up to a bound) and returns; only Errors may leave it. The entry
// point of the fuzz target.
void FuzzArchive(std::string_view bytes);

}  // namespace imgbuild::layers
