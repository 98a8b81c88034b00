#include "builder/net/retry.h"

#include <algorithm>

#include "specs/base/text.h"

namespace imgbuild::builder {

bool IsTransientStatus(int status) {
  switch (status) {
    case 408:
    case 425:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    default:
      return false;
  }
}

std::uint64_t BackoffMs(int next, std::uint64_t base_ms, double jitter) {
  const int doublings = std::clamp(next - 2, 0, 16);
  const double scaled = static_cast<double>(base_ms << doublings) * (0.5 + jitter);
  return std::min<std::uint64_t>(static_cast<std::uint64_t>(scaled), 30'000);
}

std::uint64_t RetryAfterMs(std::string_view header) {
  std::optional<std::uint64_t> seconds = specs::ParseUnsigned(specs::Trim(header));
  return seconds ? std::min<std::uint64_t>(*seconds, 60) * 1000 : 0;
}

}  // namespace imgbuild::builder
