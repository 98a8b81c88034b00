// Time that no one can set back.
#pragma once

#include <cstdint>

#include <time.h>

namespace imgbuild::runtime {

// Milliseconds of the monotonic clock.
inline std::uint64_t NowMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace imgbuild::runtime
