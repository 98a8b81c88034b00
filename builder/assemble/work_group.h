// Tasks on an executor that belong together: wait for all, hear of the first failure.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>

#include "layers/io/executor.h"

namespace imgbuild::builder {

// Tasks may throw and may add further tasks. After the first failure tasks that have not begun are
// passed over. Destruction waits for those that run.
class WorkGroup {
 public:
  explicit WorkGroup(layers::Executor& executor) : executor_(executor) {}
  ~WorkGroup();
  WorkGroup(const WorkGroup&) = delete;
  WorkGroup& operator=(const WorkGroup&) = delete;

  void Add(std::function<void()> task);

  // Something outside the executor that will call Done or Fail once, such as a download.
  void Expect();
  void Done();
  void Fail(std::exception_ptr failure);

  bool failed() const { return failed_; }

  // Until nothing is left to do; rethrows the first failure.
  void Wait();

 private:
  void Run(const std::function<void()>& task);

  layers::Executor& executor_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t pending_ = 0;
  std::atomic<bool> failed_ = false;
  std::exception_ptr failure_;
};

}  // namespace imgbuild::builder
