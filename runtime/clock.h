// Time that no one can set back, and that passes only while we run.
#pragma once

#include <cstdint>

#include <time.h>

namespace imgbuild::runtime {

inline std::uint64_t skipped_ms = 0;

// Milliseconds of the monotonic clock, less those that were skipped.
inline std::uint64_t NowMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000 - skipped_ms;
}

// So long nothing could happen, since the container was paused or its machine slept: no deadline
// comes nearer by it.
inline void SkipMs(std::uint64_t milliseconds) { skipped_ms += milliseconds; }

}  // namespace imgbuild::runtime
