#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include <fmt/core.h>

#include "builder/ui/bar.h"
#include "builder/ui/reporters.h"

namespace imgbuild::builder {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRedraw(100);
constexpr std::size_t kMostBars = 8;

std::uint64_t MillisecondsSince(Clock::time_point start) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count());
}

class TerminalProgress : public Progress {
 public:
  TerminalProgress(WriteText write, std::function<std::size_t()> columns, Verbosity verbosity)
      : write_(std::move(write)),
        columns_(std::move(columns)),
        verbosity_(verbosity),
        painter_([this] { Paint(); }) {}

  ~TerminalProgress() override {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    painter_.join();
    write_(Erase());
  }

  std::unique_ptr<ProgressTask> Begin(std::string_view label, ProgressUnit unit) override {
    return std::make_unique<Task>(*this, label, unit);
  }
  void Info(std::string_view text) override { Line(fmt::format("{}\n", text)); }
  void Warning(std::string_view text) override {
    Line(fmt::format("\x1b[33mwarning:\x1b[0m {}\n", text));
  }
  void Detail(std::string_view text) override {
    if (verbosity_ == Verbosity::kVerbose) Line(fmt::format("\x1b[2m{}\x1b[0m\n", text));
  }

 private:
  class Task : public ProgressTask {
   public:
    Task(TerminalProgress& progress, std::string_view label, ProgressUnit unit)
        : progress_(progress), label_(label), unit_(unit) {
      std::lock_guard lock(progress_.mutex_);
      progress_.tasks_.push_back(this);
    }
    ~Task() override {
      std::lock_guard lock(progress_.mutex_);
      std::erase(progress_.tasks_, this);
    }
    void SetTotal(std::uint64_t total) override {
      std::lock_guard lock(progress_.mutex_);
      total_ = total;
    }
    void Advance(std::uint64_t amount) override {
      std::lock_guard lock(progress_.mutex_);
      done_ += amount;
    }
    void SetDetail(std::string_view detail) override {
      std::lock_guard lock(progress_.mutex_);
      detail_ = detail;
    }
    void Finish(std::string_view summary) override {
      {
        std::lock_guard lock(progress_.mutex_);
        std::erase(progress_.tasks_, this);
      }
      progress_.Line(fmt::format("{:<28} {}\n", label_, summary));
    }
    std::string Render(std::size_t width) const {
      return RenderBar({.label = label_,
                        .detail = detail_,
                        .unit = unit_,
                        .done = done_,
                        .total = total_,
                        .elapsed_ms = MillisecondsSince(start_)},
                       width);
    }

   private:
    TerminalProgress& progress_;
    const std::string label_;
    const ProgressUnit unit_;
    const Clock::time_point start_ = Clock::now();
    std::string detail_;
    std::uint64_t done_ = 0;
    std::uint64_t total_ = 0;
  };

  void Paint() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      wake_.wait_for(lock, kRedraw);
      if (!tasks_.empty() || drawn_ > 0) Replace("");
    }
  }

  // To the first bar's line, and everything below cleared.
  std::string Erase() {
    const std::size_t lines = std::exchange(drawn_, 0);
    return lines == 0 ? "" : fmt::format("\x1b[{}A\x1b[J", lines);
  }

  std::string Draw() {
    std::string text;
    const std::size_t width = std::max<std::size_t>(columns_(), 20) - 1;
    for (const Task* task : tasks_) {
      if (drawn_ == kMostBars) break;
      text += task->Render(width) + "\n";
      ++drawn_;
    }
    return text;
  }

  // One write, so that the terminal never shows a state between.
  void Replace(const std::string& text) {
    std::string output = Erase();
    output += text;
    output += Draw();
    write_(output);
  }

  void Line(const std::string& text) {
    std::lock_guard lock(mutex_);
    Replace(text);
  }

  WriteText write_;
  std::function<std::size_t()> columns_;
  Verbosity verbosity_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::vector<Task*> tasks_;
  std::size_t drawn_ = 0;
  std::thread painter_;
};

}  // namespace

std::unique_ptr<Progress> MakeTerminalProgress(WriteText write,
                                               std::function<std::size_t()> columns,
                                               Verbosity verbosity) {
  return std::make_unique<TerminalProgress>(std::move(write), std::move(columns), verbosity);
}

}  // namespace imgbuild::builder
