// Pieces of work that run anywhere and come back in the order they were given.
#pragma once

#include <atomic>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "layers/io/executor.h"

namespace imgbuild::layers {

// Start*, Take for each, in one thread. Take works on what nobody began yet instead of only
// waiting, so work always ends, however busy the executor is. What the work functions borrow must
// outlive this object; its destructor waits for those that run and revokes the others.
template <typename Result>
class OrderedWork {
 public:
  explicit OrderedWork(Executor& executor) : executor_(executor) {}
  OrderedWork(const OrderedWork&) = delete;
  OrderedWork& operator=(const OrderedWork&) = delete;
  ~OrderedWork() {
    for (const auto& slot : slots_) {
      if (!slot->Claim()) slot->done.wait(false);
    }
  }

  std::size_t pending() const { return slots_.size(); }
  // Enough work under way: Take before the next Start, or memory grows.
  bool full() const { return slots_.size() > executor_.width(); }

  void Start(std::function<Result()> work) {
    auto slot = std::make_shared<Slot>();
    slot->work = std::move(work);
    slots_.push_back(slot);
    executor_.Start([slot = std::move(slot)] {
      if (slot->Claim()) slot->Run();
    });
  }

  // The oldest result, or throws what its work threw. REQUIRES: pending() > 0.
  Result Take() {
    std::shared_ptr<Slot> oldest = slots_.front();
    if (oldest->Claim()) {
      oldest->Run();
    } else {
      HelpUntil(*oldest);
    }
    slots_.pop_front();
    if (oldest->failure) std::rethrow_exception(oldest->failure);
    return std::move(*oldest->result);
  }

 private:
  struct Slot {
    std::function<Result()> work;
    std::optional<Result> result;
    std::exception_ptr failure;
    std::atomic<bool> claimed = false;
    std::atomic<bool> done = false;

    bool Claim() { return !claimed.exchange(true); }
    void Run() {
      try {
        result.emplace(work());
      } catch (...) {
        failure = std::current_exception();
      }
      work = nullptr;
      done = true;
      done.notify_all();
    }
  };

  void HelpUntil(Slot& slot) {
    for (const auto& other : slots_) {
      if (slot.done) return;
      if (other->Claim()) other->Run();
    }
    slot.done.wait(false);
  }

  Executor& executor_;
  std::deque<std::shared_ptr<Slot>> slots_;
};

}  // namespace imgbuild::layers
