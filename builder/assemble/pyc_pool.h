// The Python that compiles .pyc files: found or made when the first source comes, then shared.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "builder/assemble/pyc_worker.h"
#include "layers/unpack/pyc_compiler.h"

namespace imgbuild::builder {

// `workers` processes at most, started as they are needed; a call waits for a free one.
class PycPool : public layers::PycCompiler {
 public:
  // `find_tree` is called once, by the first Compile; others wait for it.
  PycPool(std::function<PythonTree()> find_tree, std::size_t workers)
      : find_tree_(std::move(find_tree)), most_(workers) {}

  std::vector<std::optional<std::string>> Compile(
      std::span<const layers::PycSource> sources) override;

 private:
  const PythonTree& Tree();
  std::unique_ptr<PycWorker> Acquire();
  void Release(std::unique_ptr<PycWorker> worker);

  std::function<PythonTree()> find_tree_;
  const std::size_t most_;
  std::once_flag found_;
  PythonTree tree_;
  std::mutex mutex_;
  std::condition_variable free_;
  std::vector<std::unique_ptr<PycWorker>> idle_;
  std::size_t started_ = 0;
};

}  // namespace imgbuild::builder
