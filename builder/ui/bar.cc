#include "builder/ui/bar.h"

#include <algorithm>

#include <fmt/core.h>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::size_t kLabelWidth = 28;
constexpr std::size_t kCells = 24;

std::string Amount(std::uint64_t amount, ProgressUnit unit) {
  return unit == ProgressUnit::kBytes ? specs::HumanBytes(amount) : fmt::format("{}", amount);
}

std::string Cells(std::uint64_t done, std::uint64_t total) {
  const std::size_t full =
      total == 0 ? 0 : static_cast<std::size_t>(std::min(done, total) * kCells / total);
  return "[" + std::string(full, '#') + std::string(kCells - full, '.') + "]";
}

}  // namespace

std::string RenderBar(const BarState& state, std::size_t width) {
  std::string line = fmt::format("{:<{}}", state.label, kLabelWidth);
  auto append = [&](const std::string& part) {
    if (line.size() + part.size() <= width) line += part;
  };
  if (state.total > 0) {
    append(" " + Cells(state.done, state.total));
    append(
        fmt::format(" {} of {}", Amount(state.done, state.unit), Amount(state.total, state.unit)));
  } else if (state.done > 0) {
    append(" " + Amount(state.done, state.unit));
  } else {
    append(" " + specs::HumanDuration(state.elapsed_ms / 100 * 100));
  }
  if (state.unit == ProgressUnit::kBytes && state.elapsed_ms >= 500 && state.done > 0) {
    append(fmt::format("  {}/s", specs::HumanBytes(state.done * 1000 / state.elapsed_ms)));
  }
  if (!state.detail.empty()) {
    const std::size_t room = width > line.size() + 2 ? width - line.size() - 2 : 0;
    if (room >= 8) append("  " + std::string(state.detail.substr(0, room)));
  }
  return line.substr(0, width);
}

}  // namespace imgbuild::builder
