// A Progress that shows nothing and remembers the lines it was told.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "builder/ui/progress.h"

namespace imgbuild::support {

class QuietProgress : public builder::Progress {
 public:
  std::unique_ptr<builder::ProgressTask> Begin(std::string_view, builder::ProgressUnit) override {
    return std::make_unique<Task>();
  }
  void Info(std::string_view text) override { Add(text); }
  void Warning(std::string_view text) override { Add(text); }
  void Detail(std::string_view text) override { Add(text); }

  std::vector<std::string> lines() const {
    std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  struct Task : builder::ProgressTask {
    void SetTotal(std::uint64_t) override {}
    void Advance(std::uint64_t) override {}
    void SetDetail(std::string_view) override {}
    void Finish(std::string_view) override {}
  };

  void Add(std::string_view text) {
    std::lock_guard lock(mutex_);
    lines_.emplace_back(text);
  }

  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace imgbuild::support
