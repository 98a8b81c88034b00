// The HTTP client of one shared cache: counts what comes, and waits for nobody long. A cache is
// there to save time; one that takes longer than the work is as good as down.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "builder/net/http_client.h"

namespace imgbuild::builder {

inline constexpr int kRequestsAtOnce = 8;                  // to one place
inline constexpr std::uint64_t kLargestAction = 1u << 20;  // bytes of an answer of the action cache

struct Patience {
  int tries = 2;
  std::uint64_t stall_timeout_s = 5;
  std::uint64_t longest_wait_ms = 5'000;  // that a server asks for before it is tried again
  // From then on a transfer must have come at this rate on average, or it is ended.
  std::chrono::milliseconds grace{10'000};
  std::uint64_t slowest = 8u << 10;  // bytes a second
};

// Thread-safe. Requests that send a body are left all the time they want.
class CacheClient : public HttpClient {
 public:
  // Borrows `inner`.
  explicit CacheClient(HttpClient& inner, Patience patience = {});

  void Start(HttpRequest request, std::function<void(HttpResult)> done) override;
  void Wait(const HttpWait& wait) override { inner_.Wait(wait); }

  // Of bodies, and again where they came again.
  std::uint64_t bytes_received() const { return *received_; }

 private:
  HttpClient& inner_;
  const Patience patience_;
  // Shared with transfers, which may end later than this.
  const std::shared_ptr<std::atomic<std::uint64_t>> received_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);
};

}  // namespace imgbuild::builder
