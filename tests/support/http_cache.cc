#include "tests/support/http_cache.h"

#include <utility>

#include "specs/base/digest.h"

namespace imgbuild::support {

HttpCache::HttpCache()
    : server_([this](const ServedRequest& request) { return Answer(request); }) {}

std::map<std::string, std::string> HttpCache::content() const {
  const std::lock_guard lock(mutex_);
  return content_;
}

void HttpCache::Put(const std::string& path, const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  content_[path] = bytes;
}

std::size_t HttpCache::bytes_sent() const {
  const std::lock_guard lock(mutex_);
  return bytes_sent_;
}

void HttpCache::SetFault(Fault fault) {
  const std::lock_guard lock(mutex_);
  fault_ = std::move(fault);
}

ServedResponse HttpCache::Answer(const ServedRequest& request) {
  const std::lock_guard lock(mutex_);
  if (fault_) {
    if (auto response = fault_(request)) return *std::move(response);
  }
  if (request.method == "PUT") {
    const bool cas = request.target.starts_with("/cas/");
    if (request.cut || (cas && request.target != "/cas/" + specs::HashOf(request.body).Hex())) {
      return {.status = 400, .headers = {}, .body = {}};
    }
    content_[request.target] = request.body;
    return {.status = 200, .headers = {}, .body = {}};
  }
  const auto found = content_.find(request.target);
  if (found == content_.end()) return {.status = 404, .headers = {}, .body = {}};
  if (request.method == "HEAD") return {.status = 200, .headers = {}, .body = {}};
  bytes_sent_ += found->second.size();
  return {.status = 200, .headers = {}, .body = found->second};
}

}  // namespace imgbuild::support
