// The tries of one blob: how many may fail in a row, and how long it waits between them.
#pragma once

#include <cstdint>

#include "builder/net/retry.h"
#include "builder/registry/registry.h"
#include "specs/base/error.h"

namespace imgbuild::builder {

// The one layer that tries again: its requests go out with max_tries = 1, or tries would multiply.
class Retries {
 public:
  // Borrows the registry.
  Retries(Registry& registry, int max_failures, std::uint64_t backoff_ms)
      : registry_(registry), max_failures_(max_failures), backoff_ms_(backoff_ms) {}

  // How long a server asks to be left alone counts for the wait after that.
  void Heed(const HttpResponse& response);
  void Heed(const specs::Error& error);

  // The blob got on, and what failed before counts no more.
  void Progressed();

  // Whether none follows when this try fails.
  bool IsLast() const { return failures_ + 1 >= max_failures_; }

  // This try failed: waits for the next one. Throws `failure` where there is none, or where the
  // server asks for more than anybody waits (WaitLimits).
  void Fail(specs::Error failure);

  // In the middle of a try, something failed that it can do without: waits where the server asks
  // for it. Throws as above.
  void Pause(const specs::Error& failure);

 private:
  void Wait(std::uint64_t backoff_ms, const specs::Error& failure);

  Registry& registry_;
  const int max_failures_;
  const std::uint64_t backoff_ms_;
  RetryWaits waits_;
  int failures_ = 0;  // in a row
  std::uint64_t asked_ms_ = 0;
};

}  // namespace imgbuild::builder
