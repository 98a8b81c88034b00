#include "builder/share/cache_client.h"

#include <algorithm>
#include <utility>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using Clock = std::chrono::steady_clock;

struct Watch {
  const Clock::time_point begin = Clock::now();
  std::atomic<std::uint64_t> received = 0;  // of this attempt
  std::atomic<bool> too_slow = false;
};

bool IsFastEnough(const Watch& watch, const Patience& patience) {
  const auto passed =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - watch.begin);
  if (passed < patience.grace) return true;
  return watch.received * 1000 / static_cast<std::uint64_t>(passed.count()) >= patience.slowest;
}

}  // namespace

CacheClient::CacheClient(HttpClient& inner, Patience patience)
    : inner_(inner), patience_(patience) {}

void CacheClient::Start(HttpRequest request, std::function<void(HttpResult)> done) {
  const auto watch = std::make_shared<Watch>();
  if (request.max_tries == 0) request.max_tries = patience_.tries;
  if (request.stall_timeout_s == 0 && !request.upload) {
    request.stall_timeout_s = patience_.stall_timeout_s;
  }
  request.progress = [watch, counter = received_,
                      next = std::move(request.progress)](std::uint64_t received) {
    const std::uint64_t before = watch->received.exchange(received);
    *counter += received >= before ? received - before : received;
    if (next) next(received);
  };
  if (!request.upload) {
    if (request.longest_wait_ms == 0) request.longest_wait_ms = patience_.longest_wait_ms;
    request.wanted = [watch, patience = patience_, next = std::move(request.wanted)] {
      if (next && !next()) return false;
      if (IsFastEnough(*watch, patience)) return true;
      watch->too_slow = true;
      return false;
    };
  }
  const std::string url = RedactUrl(request.url);
  inner_.Start(std::move(request), [watch, url, done = std::move(done)](HttpResult result) {
    if (watch->too_slow && std::holds_alternative<specs::Error>(result)) {
      result = specs::Error("it is too slow: " + url);
    }
    done(std::move(result));
  });
}

}  // namespace imgbuild::builder
