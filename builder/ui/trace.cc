#include "builder/ui/trace.h"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

namespace imgbuild::builder {
namespace {

constexpr std::string_view kTasks = "imgbuild";

// Times are microseconds from the beginning.
struct Span {
  std::string name;
  std::string summary;
  std::uint64_t begin = 0;
  std::optional<std::uint64_t> end = {};
  std::size_t kind = 0;  // index of its Kind
  std::size_t lane = 0;
};

struct Kind {
  std::string name;
  std::vector<char> busy;  // by lane
};

class Recorder {
 public:
  // The number by which it is ended.
  std::size_t Begin(std::string_view kind_name, std::string_view name) {
    std::lock_guard lock(mutex_);
    const auto [found, fresh] = numbers_.try_emplace(std::string(kind_name), kinds_.size());
    if (fresh) kinds_.push_back({.name = found->first, .busy = {}});
    Kind& kind = kinds_[found->second];
    std::size_t lane = 0;
    while (lane < kind.busy.size() && kind.busy[lane] != 0) ++lane;
    if (lane == kind.busy.size()) kind.busy.push_back(0);
    kind.busy[lane] = 1;
    spans_.push_back({.name = std::string(name),
                      .summary = {},
                      .begin = Now(),
                      .end = {},
                      .kind = found->second,
                      .lane = lane});
    return spans_.size() - 1;
  }

  void End(std::size_t number, std::string summary) {
    std::lock_guard lock(mutex_);
    Span& span = spans_[number];
    span.end = Now();
    span.summary = std::move(summary);
    kinds_[span.kind].busy[span.lane] = 0;
  }

  // What has not ended ends there now.
  std::string Render() {
    std::lock_guard lock(mutex_);
    std::string text = fmt::format("{}, \"traceEvents\": [\n", kTraceBeginning);
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      Add({{"ph", "M"},
           {"pid", i + 1},
           {"name", "process_name"},
           {"args", {{"name", kinds_[i].name}}}},
          text);
    }
    const std::uint64_t now = Now();
    for (const Span& span : spans_) {
      Json event = {{"ph", "X"},
                    {"pid", span.kind + 1},
                    {"tid", span.lane + 1},
                    {"ts", span.begin},
                    {"dur", span.end.value_or(now) - span.begin},
                    {"name", span.name}};
      if (!span.summary.empty()) event["args"] = {{"summary", span.summary}};
      Add(event, text);
    }
    if (text.ends_with(",\n")) text.erase(text.size() - 2, 1);
    return text + "]}\n";
  }

 private:
  using Json = nlohmann::ordered_json;

  static void Add(const Json& event, std::string& text) {
    text += event.dump(-1, ' ', false, Json::error_handler_t::replace) + ",\n";
  }

  std::uint64_t Now() const {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::steady_clock::now() - start_)
                                          .count());
  }

  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::mutex mutex_;
  std::map<std::string, std::size_t> numbers_;  // of the kinds, by name
  std::vector<Kind> kinds_;
  std::vector<Span> spans_;
};

class TracedStep : public ProgressStep {
 public:
  TracedStep(Recorder& recorder, std::string_view kind, std::string_view name,
             std::unique_ptr<ProgressStep> inner)
      : recorder_(recorder), number_(recorder.Begin(kind, name)), inner_(std::move(inner)) {}
  ~TracedStep() override { recorder_.End(number_, {}); }

 private:
  Recorder& recorder_;
  const std::size_t number_;
  const std::unique_ptr<ProgressStep> inner_;
};

class TracedTask : public ProgressTask {
 public:
  TracedTask(Recorder& recorder, std::string_view label, std::unique_ptr<ProgressTask> inner)
      : recorder_(recorder), number_(recorder.Begin(kTasks, label)), inner_(std::move(inner)) {}
  ~TracedTask() override {
    if (!finished_) recorder_.End(number_, {});
  }
  void SetTotal(std::uint64_t total) override { inner_->SetTotal(total); }
  void Advance(std::uint64_t amount) override { inner_->Advance(amount); }
  void SetDetail(std::string_view detail) override { inner_->SetDetail(detail); }
  void Finish(std::string_view summary) override {
    finished_ = true;
    recorder_.End(number_, std::string(summary));
    inner_->Finish(summary);
  }

 private:
  Recorder& recorder_;
  const std::size_t number_;
  const std::unique_ptr<ProgressTask> inner_;
  bool finished_ = false;
};

class TracingProgress : public Progress {
 public:
  TracingProgress(std::unique_ptr<Progress> inner, WriteText write)
      : inner_(std::move(inner)), write_(std::move(write)) {}
  ~TracingProgress() override { write_(recorder_.Render()); }

  std::unique_ptr<ProgressTask> Begin(std::string_view label, ProgressUnit unit) override {
    return std::make_unique<TracedTask>(recorder_, label, inner_->Begin(label, unit));
  }
  std::unique_ptr<ProgressStep> Step(std::string_view kind, std::string_view name) override {
    return std::make_unique<TracedStep>(recorder_, kind, name, inner_->Step(kind, name));
  }
  void Flush() override {
    inner_->Flush();
    write_(recorder_.Render());
  }
  void Info(std::string_view text) override { inner_->Info(text); }
  void Warning(std::string_view text) override { inner_->Warning(text); }
  void Detail(std::string_view text) override { inner_->Detail(text); }

 private:
  const std::unique_ptr<Progress> inner_;
  const WriteText write_;
  Recorder recorder_;
};

}  // namespace

std::unique_ptr<Progress> MakeTracingProgress(std::unique_ptr<Progress> inner, WriteText write) {
  return std::make_unique<TracingProgress>(std::move(inner), std::move(write));
}

}  // namespace imgbuild::builder
