// Which downloads were found to be what they are named after, and what their files looked like
// then; and of which wheels each file was found to be as RECORD says.
//
// An archive is hashed when it comes. To hash it again whenever it is unpacked would read gigabytes
// twice; a file that looks as it did then holds what it did then, but for what a disk gets wrong by
// itself, which the checksums inside of wheels and .debs show. That a wheel's files are as its
// RECORD says is true of the wheel's digest for ever, whatever file holds it.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "layers/io/file_stamp.h"
#include "specs/base/digest.h"

namespace imgbuild::layers {

// A table on the disk, a line for each: the digest and the stamp, or the digest and "record".
// Thread-safe, and safe against other processes. Where it cannot be read or written files are
// hashed again: nothing is lost.
class VerifiedFiles {
 public:
  explicit VerifiedFiles(std::filesystem::path table) : table_(std::move(table)) {}

  bool Has(const specs::Sha256& digest, const std::filesystem::path& file);
  // REQUIRES: with that digest it looked so, before it was read.
  void Note(const specs::Sha256& digest, const FileStamp& stamp);

  // Whether the files inside were found to be as RECORD says.
  bool HasRecord(const specs::Sha256& wheel);
  void NoteRecord(const specs::Sha256& wheel);

 private:
  void Load();
  void Append(const std::string& line);

  const std::filesystem::path table_;
  std::mutex mutex_;  // of what follows
  bool loaded_ = false;
  std::map<specs::Sha256, FileStamp> stamps_;
  std::set<specs::Sha256> records_;
};

}  // namespace imgbuild::layers
