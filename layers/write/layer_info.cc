#include "layers/write/layer_info.h"

#include <vector>

#include <fmt/core.h>

#include "specs/base/text.h"

namespace imgbuild::layers {

std::string RenderLayerInfo(const LayerInfo& info) {
  return fmt::format("{} {} {} {}", info.digest.Hex(), info.size, info.diff_id.Hex(),
                     info.uncompressed_size);
}

std::optional<LayerInfo> ParseLayerInfo(std::string_view text) {
  const std::vector<std::string_view> words = specs::SplitWords(text);
  if (words.size() != 4) return std::nullopt;
  const auto digest = specs::Sha256::Parse(words[0]);
  const auto size = specs::ParseUnsigned(words[1]);
  const auto diff_id = specs::Sha256::Parse(words[2]);
  const auto plain = specs::ParseUnsigned(words[3]);
  if (!digest || !size || !diff_id || !plain) return std::nullopt;
  return LayerInfo{*digest, *size, *diff_id, *plain};
}

}  // namespace imgbuild::layers
