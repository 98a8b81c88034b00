#include "builder/assemble/work_group.h"

namespace imgbuild::builder {

WorkGroup::~WorkGroup() {
  std::unique_lock lock(mutex_);
  failed_ = true;
  idle_.wait(lock, [this] { return pending_ == 0; });
}

void WorkGroup::Expect() {
  std::lock_guard lock(mutex_);
  ++pending_;
}

void WorkGroup::Done() {
  std::lock_guard lock(mutex_);
  if (--pending_ == 0) idle_.notify_all();
}

void WorkGroup::Fail(std::exception_ptr failure) {
  {
    std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    failed_ = true;
  }
  Done();
}

void WorkGroup::Add(std::function<void()> task) {
  Expect();
  try {
    executor_.Start([this, task = std::move(task)] { Run(task); });
  } catch (...) {
    Done();  // it will never run
    throw;
  }
}

void WorkGroup::Run(const std::function<void()>& task) {
  if (!failed_) {
    try {
      task();
    } catch (...) {
      return Fail(std::current_exception());
    }
  }
  Done();
}

void WorkGroup::Wait() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return pending_ == 0; });
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace imgbuild::builder
