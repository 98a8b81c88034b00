// When a failed transfer is worth another try, and after how long (RFC 9110, 10.2.3 and 15.6).
#pragma once

#include <cstdint>
#include <string_view>

namespace imgbuild::builder {

// Statuses that may pass: 408, 425, 429, 500, 502, 503, 504.
bool IsTransientStatus(int status);

// Milliseconds before try number `next` (2 is the first retry): `base_ms` doubled for each try
// before it, scaled by `jitter` in [0, 1) to between half and one and a half of that, at most 30 s.
std::uint64_t BackoffMs(int next, std::uint64_t base_ms, double jitter);

// Retry-After in seconds form, as milliseconds, at most 60 s; 0 for absent, dates and nonsense.
std::uint64_t RetryAfterMs(std::string_view header);

}  // namespace imgbuild::builder
