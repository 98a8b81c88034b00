#include <chrono>
#include <mutex>

#include <nlohmann/json.hpp>

#include "builder/ui/reporters.h"

namespace imgbuild::builder {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr std::chrono::milliseconds kInterval(100);

// What is no UTF-8 is replaced.
std::string Line(const Json& event) {
  return event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string_view KindName(specs::ErrorKind kind) {
  switch (kind) {
    case specs::ErrorKind::kFailure:
      return "failure";
    case specs::ErrorKind::kUsage:
      return "usage";
    case specs::ErrorKind::kUnresolvable:
      return "unresolvable";
    case specs::ErrorKind::kVerification:
      return "verification";
    case specs::ErrorKind::kInterrupted:
      return "interrupted";
  }
  return "failure";
}

class JsonProgress : public Progress {
 public:
  explicit JsonProgress(WriteText write) : write_(std::move(write)) {}

  std::unique_ptr<ProgressTask> Begin(std::string_view label, ProgressUnit unit) override {
    std::uint64_t number;
    {
      std::lock_guard lock(mutex_);
      number = ++tasks_;
    }
    Send({{"event", "begin"},
          {"task", number},
          {"label", label},
          {"unit", unit == ProgressUnit::kBytes ? "bytes" : "items"}});
    return std::make_unique<Task>(*this, number);
  }
  void Info(std::string_view text) override { Send({{"event", "info"}, {"text", text}}); }
  void Warning(std::string_view text) override { Send({{"event", "warning"}, {"text", text}}); }
  void Detail(std::string_view text) override { Send({{"event", "detail"}, {"text", text}}); }

 private:
  class Task : public ProgressTask {
   public:
    Task(JsonProgress& progress, std::uint64_t number) : progress_(progress), number_(number) {}
    ~Task() override {
      if (!finished_) progress_.Send({{"event", "end"}, {"task", number_}});
    }
    void SetTotal(std::uint64_t total) override {
      std::lock_guard lock(mutex_);
      total_ = total;
    }
    void Advance(std::uint64_t amount) override {
      std::lock_guard lock(mutex_);
      done_ += amount;
      if (Clock::now() - sent_ < kInterval) return;
      sent_ = Clock::now();
      progress_.Send({{"event", "progress"},
                      {"task", number_},
                      {"done", done_},
                      {"total", total_},
                      {"detail", detail_}});
    }
    void SetDetail(std::string_view detail) override {
      std::lock_guard lock(mutex_);
      detail_ = detail;
    }
    void Finish(std::string_view summary) override {
      finished_ = true;
      progress_.Send({{"event", "end"}, {"task", number_}, {"summary", summary}});
    }

   private:
    JsonProgress& progress_;
    std::uint64_t number_;
    bool finished_ = false;
    std::mutex mutex_;
    std::uint64_t done_ = 0;
    std::uint64_t total_ = 0;
    std::string detail_;
    Clock::time_point sent_ = Clock::now();
  };

  void Send(const Json& event) {
    const std::string line = Line(event);
    std::lock_guard lock(mutex_);
    write_(line);
  }

  std::mutex mutex_;
  WriteText write_;
  std::uint64_t tasks_ = 0;
};

}  // namespace

std::unique_ptr<Progress> MakeJsonProgress(WriteText write) {
  return std::make_unique<JsonProgress>(std::move(write));
}

std::string RenderErrorEvent(const specs::Error& error) {
  Json event = {{"event", "error"}, {"kind", KindName(error.kind())}, {"message", error.message()}};
  const auto add = [&](const char* key, const std::string& text) {
    if (!text.empty()) event[key] = text;
  };
  add("found", error.found());
  add("expected", error.expected());
  add("hint", error.hint());
  if (!error.trail().empty()) event["trail"] = error.trail();
  event["exit"] = static_cast<int>(error.kind());
  return Line(event);
}

}  // namespace imgbuild::builder
