// Registries that gave no answer: where others have the same, these are not waited for again.
#pragma once

#include <mutex>
#include <set>
#include <string>

namespace imgbuild::builder {

// Thread-safe: all images that one run reads share it.
class DownHosts {
 public:
  void Add(const std::string& host) {
    const std::lock_guard lock(mutex_);
    hosts_.insert(host);
  }
  bool Has(const std::string& host) const {
    const std::lock_guard lock(mutex_);
    return hosts_.contains(host);
  }

 private:
  mutable std::mutex mutex_;
  std::set<std::string> hosts_;
};

}  // namespace imgbuild::builder
