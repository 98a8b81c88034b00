// Which blobs were put into an output directory, and what they looked like then.
#pragma once

#include <compare>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include <sys/stat.h>

#include "specs/base/digest.h"

namespace imgbuild::layers {

// What changes when a file does.
struct FileStamp {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;

  bool operator==(const FileStamp&) const = default;

  // nullopt where there is no regular file.
  static std::optional<FileStamp> Of(const std::filesystem::path& path);
};

// Who brought a blob: only what we placed may we remove.
enum class BlobOrigin { kPlaced, kFound };

struct PlacedBlob {
  FileStamp stamp;  // all zero: was going to be placed
  BlobOrigin origin = BlobOrigin::kPlaced;

  bool operator==(const PlacedBlob&) const = default;

  // Whether `there` is another file than the one that was seen.
  bool IsReplacedBy(const FileStamp& there) const {
    return stamp.inode != 0 && stamp.inode != there.inode;
  }
};

using PlacedBlobs = std::map<specs::Sha256, PlacedBlob>;

// A line each: digest, inode, size, times, "placed" or "found". What is not in this form is passed
// over: a blob that is not known is hashed, and taken for another one's.
std::string RenderPlacedBlobs(const PlacedBlobs& blobs);
PlacedBlobs ParsePlacedBlobs(std::string_view text);

}  // namespace imgbuild::layers
