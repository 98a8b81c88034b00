// A server of the plain HTTP cache protocol on loopback, in memory: GET and PUT of /ac/KEY and
// /cas/SHA256.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "tests/support/loopback_server.h"

namespace imgbuild::support {

class HttpCache {
 public:
  HttpCache();

  std::string url() const { return server_.url(); }
  // By path: "/cas/SHA256".
  std::map<std::string, std::string> content() const;
  void Put(const std::string& path, const std::string& bytes);
  // Bytes of bodies that were sent.
  std::size_t bytes_sent() const;

  // Asked first from now on; where it has no answer, honest ones follow.
  using Fault = std::function<std::optional<ServedResponse>(const ServedRequest&)>;
  void SetFault(Fault fault);

 private:
  ServedResponse Answer(const ServedRequest& request);

  mutable std::mutex mutex_;
  std::map<std::string, std::string> content_;
  std::size_t bytes_sent_ = 0;
  Fault fault_;
  LoopbackServer server_;  // last: it serves at once
};

}  // namespace imgbuild::support
