// Which blobs were put into an output directory, and what they looked like then.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "layers/io/file_stamp.h"
#include "layers/store/store_paths.h"
#include "specs/base/digest.h"

namespace imgbuild::layers {

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

// What a layout's record in the store holds.
struct LayoutRecord {
  std::filesystem::path layout;  // absolute; "" where an earlier version did not say
  PlacedBlobs blobs;

  bool operator==(const LayoutRecord&) const = default;
};

// "layout PATH", and a line each: digest, inode, size, times, "placed" or "found". What is not in
// this form is passed over: a blob that is not known is hashed, and taken for another one's.
std::string RenderLayoutRecord(const LayoutRecord& record);
LayoutRecord ParseLayoutRecord(std::string_view text);

// The blobs of all layouts that are still there, outside the cache, as the store's records have
// them: images in use.
std::set<specs::Sha256> BlobsOfLayouts(const StorePaths& paths);

}  // namespace imgbuild::layers
