#include "layers/image/placed_blobs.h"

#include <fmt/core.h>

#include "layers/io/file.h"
#include "layers/store/cache_folder.h"
#include "specs/base/text.h"

namespace imgbuild::layers {
namespace {

constexpr std::string_view kLayout = "layout ";
constexpr std::uint64_t kMaxRecord = 16u << 20;
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

std::string RenderLayoutRecord(const LayoutRecord& record) {
  std::string text;
  const std::string path = record.layout.string();
  if (path.find('\n') == std::string::npos) text = fmt::format("{}{}\n", kLayout, path);
  for (const auto& [digest, blob] : record.blobs) {
    const FileStamp& stamp = blob.stamp;
    text +=
        fmt::format("{} {} {} {} {} {}\n", digest.Hex(), stamp.inode, stamp.size, stamp.mtime_ns,
                    stamp.ctime_ns, blob.origin == BlobOrigin::kPlaced ? kPlaced : kFound);
  }
  return text;
}

LayoutRecord ParseLayoutRecord(std::string_view text) {
  LayoutRecord record;
  PlacedBlobs& blobs = record.blobs;
  for (std::string_view line : specs::Split(text, '\n')) {
    if (line.starts_with(kLayout)) record.layout = line.substr(kLayout.size());
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
  return record;
}

std::set<specs::Sha256> BlobsOfLayouts(const StorePaths& paths) {
  std::set<specs::Sha256> digests;
  for (const std::filesystem::path& path : EntriesOf(paths.Layouts())) {
    const LayoutRecord record = ParseLayoutRecord(ReadFile(path, kMaxRecord));
    const std::string inside = (paths.root() / "").string();
    if (record.layout.string().starts_with(inside)) continue;
    std::error_code ignored;
    // One that does not say where it lies may well be there.
    if (!record.layout.empty() && !std::filesystem::exists(record.layout / "index.json", ignored)) {
      continue;
    }
    for (const auto& [digest, blob] : record.blobs) digests.insert(digest);
  }
  return digests;
}

}  // namespace imgbuild::layers
