#include "builder/registry/retries.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

namespace imgbuild::builder {
namespace {

using specs::Error;

}  // namespace

void Retries::Heed(const HttpResponse& response) {
  asked_ms_ = RetryAfterMs(response.Header("Retry-After"));
}

void Retries::Heed(const Error& error) {
  if (const auto* busy = dynamic_cast<const ServerBusy*>(&error)) asked_ms_ = busy->asked_ms();
}

void Retries::Progressed() {
  failures_ = 0;
  waits_.Restart();
}

void Retries::Fail(Error failure) {
  const bool last = IsLast();
  if (++failures_ > 1) failure.In(fmt::format("after {} tries in a row", failures_));
  if (last) throw failure;
  Wait(BackoffMs(failures_ + 1, backoff_ms_, Jitter()), failure);
}

void Retries::Pause(const Error& failure) {
  if (asked_ms_ > 0) Wait(0, failure);
}

void Retries::Wait(std::uint64_t backoff_ms, const Error& failure) {
  const std::optional<std::uint64_t> wait = waits_.Next(backoff_ms, std::exchange(asked_ms_, 0));
  if (!wait) throw failure;
  registry_.Wait(*wait, failure.message());
}

}  // namespace imgbuild::builder
