// One line of progress, as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "builder/ui/progress.h"

namespace imgbuild::builder {

struct BarState {
  std::string_view label;
  std::string_view detail;
  ProgressUnit unit = ProgressUnit::kItems;
  std::uint64_t done = 0;
  std::uint64_t total = 0;  // 0: not known
  std::uint64_t elapsed_ms = 0;
};

// At most `width` columns: "Downloading  [#####.....] 72 MB of 145 MB  213 MB/s  numpy-2.1.0".
// What does not fit is left out from the right. Text is taken as one column a character.
std::string RenderBar(const BarState& state, std::size_t width);

}  // namespace imgbuild::builder
