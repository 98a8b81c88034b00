// Where CPU work runs: the seam between what can be done in parallel and who owns the threads.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace imgbuild::layers {

// Work is given in pieces whose results do not depend on where or when they run. Whoever gives it
// also works on it while waiting (OrderedWork), so an executor whose threads are all busy, or that
// drops tasks when it stops, only costs speed: no deadlock when a task gives work to the executor
// it runs on.
class Executor {
 public:
  virtual ~Executor() = default;
  // Runs `task` at some time on some thread, or never. Does not block. Tasks do not throw.
  virtual void Start(std::function<void()> task) = 0;
  // How many tasks may run at once; at least 1.
  virtual std::size_t width() const = 0;
};

// No threads: whoever waits does the work.
class InlineExecutor : public Executor {
 public:
  void Start(std::function<void()>) override {}
  std::size_t width() const override { return 1; }
};

// A fixed number of threads. Tasks not begun are dropped at destruction.
class ThreadExecutor : public Executor {
 public:
  explicit ThreadExecutor(std::size_t threads);
  ~ThreadExecutor() override;
  void Start(std::function<void()> task) override;
  std::size_t width() const override { return threads_.size(); }

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace imgbuild::layers
