#include "builder/rootless/id_maps.h"

#include <algorithm>

#include <fmt/core.h>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::uint64_t kImageIds = 65536;
constexpr std::size_t kMostRanges = 340;  // that the kernel takes

std::optional<std::uint32_t> Number(std::string_view text) {
  const auto number = specs::ParseUnsigned(text);
  if (!number || *number > UINT32_MAX) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

// The caller's first range in subuid(5)'s form.
std::optional<IdRange> RangeOf(std::string_view text, std::string_view name, std::uint32_t id) {
  for (std::string_view line : specs::Split(text, '\n')) {
    const auto words = specs::Split(specs::Trim(line), ':');
    if (words.size() != 3) continue;
    if (words[0] != name && words[0] != std::to_string(id)) continue;
    const auto start = Number(words[1]);
    const auto count = Number(words[2]);
    if (!start || !count || *count == 0 || *start == 0) continue;
    if (std::uint64_t{*start} + *count > UINT32_MAX) continue;
    return IdRange{0, *start, *count};
  }
  return std::nullopt;
}

// `own` inside is `caller`; the others, from 0 on, take the ids of `range` one after the other.
std::vector<IdRange> Around(std::uint32_t own, std::uint32_t caller, const IdRange& range) {
  std::vector<IdRange> ranges;
  const std::uint64_t before = std::min<std::uint64_t>({own, range.count, kImageIds});
  if (before > 0) ranges.push_back({0, range.outside, static_cast<std::uint32_t>(before)});
  ranges.push_back({own, caller, 1});
  const std::uint64_t first = std::uint64_t{own} + 1;
  if (first >= kImageIds || before < own) return ranges;
  const std::uint64_t after = std::min<std::uint64_t>(range.count - before, kImageIds - first);
  if (after > 0) {
    ranges.push_back({static_cast<std::uint32_t>(first),
                      static_cast<std::uint32_t>(range.outside + before),
                      static_cast<std::uint32_t>(after)});
  }
  return ranges;
}

std::vector<IdRange> SameRanges(std::string_view map) {
  std::vector<IdRange> ranges;
  for (std::string_view line : specs::Split(map, '\n')) {
    std::vector<std::string_view> words;
    for (std::string_view word : specs::Split(line, ' ')) {
      if (!word.empty()) words.push_back(word);
    }
    if (words.size() != 3 || ranges.size() >= kMostRanges) continue;
    const auto inside = Number(words[0]);
    const auto count = Number(words[2]);
    if (inside && count && *count > 0) ranges.push_back({*inside, *inside, *count});
  }
  return ranges;
}

std::string RenderRanges(const std::vector<IdRange>& ranges) {
  std::string text;
  for (const IdRange& range : ranges) {
    text += fmt::format(" {}:{}:{}", range.inside, range.outside, range.count);
  }
  return text;
}

bool IsOne(const std::vector<IdRange>& ranges) {
  return ranges.size() == 1 && ranges.front().count == 1;
}

}  // namespace

bool IdMaps::IsSingle() const { return IsOne(uids) && IsOne(gids); }

std::string IdMaps::Render() const {
  return fmt::format("u{} g{}", RenderRanges(uids), RenderRanges(gids));
}

IdMaps SingleMaps(const UserIds& caller, const UserIds& image) {
  return {.uids = {{image.uid, caller.uid, 1}},
          .gids = {{image.gid, caller.gid, 1}},
          .writer = MapWriter::kProgram};
}

std::optional<IdMaps> SubordinateMaps(const UserIds& caller, std::string_view caller_name,
                                      const UserIds& image, std::string_view subuid,
                                      std::string_view subgid) {
  const auto uids = RangeOf(subuid, caller_name, caller.uid);
  const auto gids = RangeOf(subgid, caller_name, caller.uid);
  if (!uids || !gids) return std::nullopt;
  return IdMaps{.uids = Around(image.uid, caller.uid, *uids),
                .gids = Around(image.gid, caller.gid, *gids),
                .writer = MapWriter::kHelpers};
}

std::optional<IdMaps> SameMaps(std::string_view uid_map, std::string_view gid_map) {
  IdMaps maps{.uids = SameRanges(uid_map), .gids = SameRanges(gid_map), .writer = {}};
  if (maps.uids.empty() || maps.gids.empty()) return std::nullopt;
  return maps;
}

}  // namespace imgbuild::builder
