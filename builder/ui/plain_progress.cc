#include <mutex>

#include <fmt/core.h>

#include "builder/ui/reporters.h"

namespace imgbuild::builder {
namespace {

class PlainProgress : public Progress {
 public:
  PlainProgress(WriteText write, Verbosity verbosity)
      : write_(std::move(write)), verbosity_(verbosity) {}

  std::unique_ptr<ProgressTask> Begin(std::string_view label, ProgressUnit) override {
    return std::make_unique<Task>(*this, label);
  }
  void Info(std::string_view text) override {
    if (verbosity_ != Verbosity::kQuiet) Line(text);
  }
  void Warning(std::string_view text) override { Line(fmt::format("warning: {}", text)); }
  void Detail(std::string_view text) override {
    if (verbosity_ == Verbosity::kVerbose) Line(text);
  }

 private:
  class Task : public ProgressTask {
   public:
    Task(PlainProgress& progress, std::string_view label) : progress_(progress), label_(label) {}
    void SetTotal(std::uint64_t) override {}
    void Advance(std::uint64_t) override {}
    void SetDetail(std::string_view) override {}
    void Finish(std::string_view summary) override {
      progress_.Info(fmt::format("{}: {}", label_, summary));
    }

   private:
    PlainProgress& progress_;
    std::string label_;
  };

  void Line(std::string_view text) {
    std::lock_guard lock(mutex_);
    write_(fmt::format("{}\n", text));
  }

  std::mutex mutex_;
  WriteText write_;
  Verbosity verbosity_;
};

}  // namespace

std::unique_ptr<Progress> MakePlainProgress(WriteText write, Verbosity verbosity) {
  return std::make_unique<PlainProgress>(std::move(write), verbosity);
}

}  // namespace imgbuild::builder
