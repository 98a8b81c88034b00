// HttpClient over libcurl's multi interface: one thread, many transfers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "builder/net/http_client.h"
#include "builder/net/retry.h"

namespace imgbuild::builder {

struct CurlOptions {
  std::string user_agent;
  std::string ca_file;             // PEM bundle; "": libcurl's default
  std::string ca_directory;        // hashed directory; "": libcurl's default
  std::string netrc_file;          // "": no netrc
  int max_tries = 4;               // per transfer, the first included
  std::uint64_t backoff_ms = 250;  // before the second try; doubles, with jitter
  std::uint64_t connect_timeout_ms = 15'000;
  // Less than 1 kB/s for this long ends a try, as do bytes that nobody has acknowledged for this
  // long; who waited that long twice is not made to wait more.
  std::uint64_t stall_timeout_s = 30;
  WaitLimits waits;  // of each transfer, for its next tries
  // Told of each wait for a try that is as long as `noticed_ms`, of several for one server of the
  // first alone; on any thread, and must not block. Null: nobody is.
  std::function<void(const HttpWait&)> waiting;
  std::uint64_t noticed_ms = 2'000;
};

// Proxies come from http_proxy, https_proxy, all_proxy and no_proxy, as curl reads them. http,
// https and file URLs; redirects lead to http and https only, and from https to https only.
// Destruction ends all transfers: their `done` gets an Error of kind kInterrupted.
class CurlClient : public HttpClient {
 public:
  explicit CurlClient(CurlOptions options);
  ~CurlClient() override;

  void Start(HttpRequest request, std::function<void(HttpResult)> done) override;
  void Wait(const HttpWait& wait) override;

  // Ends all transfers and waits now, and every later one at once. Safe from any thread.
  void Cancel();

  struct Loop;

 private:
  std::unique_ptr<Loop> loop_;
};

}  // namespace imgbuild::builder
