#include "builder/assemble/pyc_pool.h"

namespace imgbuild::builder {

const PythonTree& PycPool::Tree() {
  std::call_once(found_, [this] { tree_ = find_tree_(); });
  return tree_;
}

std::unique_ptr<PycWorker> PycPool::Acquire() {
  const PythonTree& tree = Tree();
  std::unique_lock lock(mutex_);
  free_.wait(lock, [this] { return !idle_.empty() || started_ < most_; });
  if (!idle_.empty()) {
    std::unique_ptr<PycWorker> worker = std::move(idle_.back());
    idle_.pop_back();
    return worker;
  }
  ++started_;
  lock.unlock();
  try {
    return std::make_unique<PycWorker>(tree);
  } catch (...) {
    Release(nullptr);
    throw;
  }
}

void PycPool::Release(std::unique_ptr<PycWorker> worker) {
  std::lock_guard lock(mutex_);
  if (worker != nullptr) {
    idle_.push_back(std::move(worker));
  } else {
    --started_;
  }
  free_.notify_one();
}

std::vector<std::optional<std::string>> PycPool::Compile(
    std::span<const layers::PycSource> sources) {
  if (sources.empty()) return {};
  std::unique_ptr<PycWorker> worker = Acquire();
  try {
    auto results = worker->Compile(sources);
    Release(std::move(worker));
    return results;
  } catch (...) {
    Release(nullptr);
    throw;
  }
}

}  // namespace imgbuild::builder
