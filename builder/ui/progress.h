// What the user sees while work goes on: the seam between doing and showing.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace imgbuild::builder {

// One thing that takes time: a bar on a terminal, a line at its end elsewhere, none without Finish.
// Thread-safe. Must not outlive its Progress.
class ProgressTask {
 public:
  virtual ~ProgressTask() = default;
  virtual void SetTotal(std::uint64_t total) = 0;  // in the task's unit
  virtual void Advance(std::uint64_t amount) = 0;
  virtual void SetDetail(std::string_view detail) = 0;  // what it is at: a file or package name
  virtual void Finish(std::string_view summary) = 0;    // "101 packages in 0.4 s"; once
};

enum class ProgressUnit { kItems, kBytes };

// One of the many things that a task consists of, from its construction to its destruction. Must
// not outlive its Progress.
class ProgressStep {
 public:
  virtual ~ProgressStep() = default;
};

class Progress {
 public:
  virtual ~Progress() = default;
  // `label` is a verb phrase: "Resolving Python packages".
  virtual std::unique_ptr<ProgressTask> Begin(std::string_view label, ProgressUnit unit) = 0;
  // `kind` groups what is done alike: "Unpacking"; `name` is what it is done to: a package, a file.
  // Null where nobody keeps steps.
  virtual std::unique_ptr<ProgressStep> Step(std::string_view /*kind*/, std::string_view /*name*/) {
    return nullptr;
  }
  // Writes what it keeps until its end: there may be none.
  virtual void Flush() {}
  // A line of its own, whatever is on screen. Thread-safe, all of them.
  virtual void Info(std::string_view text) = 0;
  virtual void Warning(std::string_view text) = 0;
  virtual void Detail(std::string_view text) = 0;  // only with -v
};

}  // namespace imgbuild::builder
