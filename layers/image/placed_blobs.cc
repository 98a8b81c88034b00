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

}  // namespace

std::string RenderLayoutRecord(const LayoutRecord& record) {
  std::string text;
  const std::string path = record.layout.string();
  if (path.find('\n') == std::string::npos) text = fmt::format("{}{}\n", kLayout, path);
  for (const auto& [digest, blob] : record.blobs) {
    text += fmt::format("{} {} {}\n", digest.Hex(), blob.stamp.Render(),
                        blob.origin == BlobOrigin::kPlaced ? kPlaced : kFound);
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
    const auto stamp = FileStamp::Parse(std::span(words).subspan(1, 4));
    if (!digest || !stamp) continue;
    if (words[5] != kPlaced && words[5] != kFound) continue;
    blobs[*digest] = {.stamp = *stamp,
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
