#include "layers/store/package_record.h"

#include <vector>

#include <fmt/core.h>

#include "specs/base/text.h"

namespace imgbuild::layers {
namespace {

std::optional<FrameRecord> ParseFrame(std::string_view line) {
  const std::vector<std::string_view> words = specs::SplitWords(line);
  if (words.size() != 6) return std::nullopt;
  const auto tar_size = specs::ParseUnsigned(words[1]);
  const auto compressed_size = specs::ParseUnsigned(words[2]);
  const auto digest = specs::Sha256::Parse(words[3]);
  const auto before = specs::ParseUnsigned(words[4]);
  const auto after = specs::ParseUnsigned(words[5]);
  if (!tar_size || !compressed_size || !digest || !before || !after) return std::nullopt;
  if (*before > *compressed_size || *after > *compressed_size - *before) return std::nullopt;
  return FrameRecord{std::string(words[0]), *tar_size, *compressed_size, *digest, *before, *after};
}

}  // namespace

std::string RenderPackage(const FrameRecord& frame, std::string_view facts) {
  return fmt::format("{} {} {} {} {} {}\n{}", frame.codec, frame.tar_size, frame.compressed_size,
                     frame.digest.Hex(), frame.before, frame.after, facts);
}

std::optional<StoredPackage> ParsePackage(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::optional<FrameRecord> frame = ParseFrame(text.substr(0, end));
  if (!frame) return std::nullopt;
  return StoredPackage{
      .facts = std::string(text.substr(end + 1)), .frame = *std::move(frame), .frame_path = {}};
}

}  // namespace imgbuild::layers
