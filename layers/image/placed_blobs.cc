#include "layers/image/placed_blobs.h"

#include <fmt/core.h>

#include "specs/base/text.h"

namespace imgbuild::layers {
namespace {

constexpr std::string_view kPlaced = "placed";
constexpr std::string_view kFound = "found";

std::int64_t Nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::optional<FileStamp> FileStamp::Of(const std::filesystem::path& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FileStamp{.inode = status.st_ino,
                   .size = static_cast<std::uint64_t>(status.st_size),
                   .mtime_ns = Nanoseconds(status.st_mtim),
                   .ctime_ns = Nanoseconds(status.st_ctim)};
}

std::string RenderPlacedBlobs(const PlacedBlobs& blobs) {
  std::string text;
  for (const auto& [digest, blob] : blobs) {
    const FileStamp& stamp = blob.stamp;
    text +=
        fmt::format("{} {} {} {} {} {}\n", digest.Hex(), stamp.inode, stamp.size, stamp.mtime_ns,
                    stamp.ctime_ns, blob.origin == BlobOrigin::kPlaced ? kPlaced : kFound);
  }
  return text;
}

PlacedBlobs ParsePlacedBlobs(std::string_view text) {
  PlacedBlobs blobs;
  for (std::string_view line : specs::Split(text, '\n')) {
    const std::vector<std::string_view> words = specs::SplitWords(line);
    if (words.size() != 6) continue;
    const auto digest = specs::Sha256::Parse(words[0]);
    const auto inode = specs::ParseUnsigned(words[1]);
    const auto size = specs::ParseUnsigned(words[2]);
    const auto mtime = specs::ParseUnsigned(words[3]);
    const auto ctime = specs::ParseUnsigned(words[4]);
    if (!digest || !inode || !size || !mtime || !ctime) continue;
    if (words[5] != kPlaced && words[5] != kFound) continue;
    blobs[*digest] = {.stamp = {.inode = *inode,
                                .size = *size,
                                .mtime_ns = static_cast<std::int64_t>(*mtime),
                                .ctime_ns = static_cast<std::int64_t>(*ctime)},
                      .origin = words[5] == kPlaced ? BlobOrigin::kPlaced : BlobOrigin::kFound};
  }
  return blobs;
}

}  // namespace imgbuild::layers
