// When a failed transfer is worth another try, and after how long (RFC 9110, 10.2.3 and 15.6).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace imgbuild::builder {

// Statuses that may pass: 408, 425, 429, 500, 502, 503, 504.
bool IsTransientStatus(int status);

// Milliseconds before try number `next` (2 is the first retry): `base_ms` doubled for each try
// before it, scaled by `jitter` in [0, 1) to between half and one and a half of that, at most 30 s.
std::uint64_t BackoffMs(int next, std::uint64_t base_ms, double jitter);

// A random number in [0, 1), of the thread's own generator.
double Jitter();

// Retry-After in milliseconds from `now`, be it seconds or a date; at most a year, 0 for absent,
// past and nonsense.
std::uint64_t RetryAfterMs(std::string_view header, std::chrono::system_clock::time_point now =
                                                        std::chrono::system_clock::now());

// How long one request may wait to be tried again. A minute at a time is what podman and skopeo
// wait at most, too. They ask then, whatever the server said; here it is not asked before its time,
// which would only be refused again, nor waited for without end by who may do something else
// meanwhile: as with curl and its --retry-max-time, the request fails at once.
struct WaitLimits {
  std::uint64_t one_ms = 60'000;   // before one try
  std::uint64_t all_ms = 180'000;  // before all of them
};

// The waits of one request.
class RetryWaits {
 public:
  explicit RetryWaits(WaitLimits limits = {}) : limits_(limits) {}

  // Milliseconds before the next try: what the server asks for, `backoff_ms` at least. nullopt
  // where the limits leave less.
  std::optional<std::uint64_t> Next(std::uint64_t backoff_ms, std::uint64_t asked_ms);

  // The request got on: what was waited before counts no more.
  void Restart() { waited_ms_ = 0; }

 private:
  WaitLimits limits_;
  std::uint64_t waited_ms_ = 0;
};

// A date of HTTP: "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7; its obsolete forms are no use
// here).
std::optional<std::chrono::sys_seconds> ParseHttpDate(std::string_view text);

}  // namespace imgbuild::builder
