// Compressor states that are dear to make: each is lent to one thread at a time and kept.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace imgbuild::layers {

// `Handle` is a unique_ptr to a C library's state.
template <typename Handle>
class ContextPool {
 public:
  // Calls `use` with a state, made by `make` when none is free. A state whose use threw is dropped.
  template <typename Make, typename Use>
  auto With(Make make, Use use) {
    Handle handle = Take();
    if (!handle) handle = make();
    auto result = use(*handle);
    std::lock_guard lock(mutex_);
    free_.push_back(std::move(handle));
    return result;
  }

 private:
  Handle Take() {
    std::lock_guard lock(mutex_);
    if (free_.empty()) return nullptr;
    Handle handle = std::move(free_.back());
    free_.pop_back();
    return handle;
  }

  std::mutex mutex_;
  std::vector<Handle> free_;
};

}  // namespace imgbuild::layers
