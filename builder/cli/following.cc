#include "builder/cli/following.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <optional>
#include <set>

#include <fmt/core.h>
#include <poll.h>

#include "builder/cli/interrupt.h"
#include "builder/engine/file_watch.h"
#include "builder/engine/ports.h"
#include "builder/host/program.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Editors write in several steps.
constexpr int kSettleMs = 100;

// The container while it runs.
class Attached {
 public:
  Attached(const Engine& engine, const std::string& name)
      : logs_({engine.program, "logs", "-f", name}), wait_({engine.program, "wait", name}) {}

  ProgramBeside& logs() { return logs_; }
  ProgramBeside& wait() { return wait_; }

 private:
  ProgramBeside logs_;
  ProgramBeside wait_;
};

int Ask(const std::vector<std::string>& words) { return RunProgram({.words = words}).status; }

std::vector<std::uint32_t> Inside(const RunPlan& plan) {
  std::vector<std::uint32_t> ports;
  for (const PublishedPort& port : plan.ports) ports.push_back(port.inside);
  return ports;
}

class Follower {
 public:
  Follower(Session& session, Container container, const FollowOptions& options)
      : session_(session), container_(std::move(container)), options_(options) {}

  int Run() {
    OnInterrupt([engine = container_.engine, name = container_.plan.container] {
      return Ask({engine.program, "stop", name});
    });
    if (options_.rebuild) {
      watch_.emplace();
      watch_->Watch(PlacesOf(container_.loaded));
    }
    Start();
    while (!done_) Step();
    OnInterrupt(nullptr);
    return status_;
  }

 private:
  void Start() {
    const std::vector<std::string> words = RunArguments(container_.engine, container_.plan);
    session_.progress().Detail(specs::Join(words, " "));
    std::fflush(nullptr);
    if (const int status = Ask(words); status != 0) {
      throw specs::Error(fmt::format("{} did not start the container", container_.engine.program))
          .Found(fmt::format("exit status {}; what it said is above", status));
    }
    attached_.emplace(container_.engine, container_.plan.container);
  }

  void Stop() {
    attached_.reset();
    if (Ask({container_.engine.program, "stop", container_.plan.container}) != 0) {
      throw specs::Error(fmt::format("{} did not stop the container", container_.engine.program));
    }
  }

  void Step() {
    pollfd ready[] = {{attached_->logs().fd(), POLLIN, 0},
                      {attached_->wait().fd(), POLLIN, 0},
                      {watch_ ? watch_->fd() : -1, POLLIN, 0}};
    if (logs_ended_) ready[0].fd = -1;
    if (::poll(ready, std::size(ready), -1) < 0) return;
    if (ready[0].revents != 0) {
      PassOn();
    } else if (ready[1].revents != 0) {
      End();
    } else if (ready[2].revents != 0 && watch_->Changed()) {
      Rebuild();
    }
  }

  void PassOn() {
    const std::string text = attached_->logs().Read();
    logs_ended_ = text.empty();
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    if (!options_.open || opened_) return;
    line_ += text;
    for (std::size_t end = line_.find('\n'); end != std::string::npos; end = line_.find('\n')) {
      const std::string address = AddressIn(std::string_view(line_).substr(0, end));
      line_.erase(0, end + 1);
      if (address.empty()) continue;
      Open(address);
      return;
    }
  }

  void Open(const std::string& address) {
    opened_ = true;
    done_ = options_.leave;
    const std::string opener = OpenerIn(Environment::OfProcess());
    if (opener.empty()) {
      session_.progress().Warning(
          "there is no xdg-open here; the address to open is the one above");
    } else {
      StartAndForget({opener, address});
    }
  }

  // The container is gone: what `wait` says is its exit status.
  void End() {
    std::string text;
    for (std::string more = attached_->wait().Read(); !more.empty();
         more = attached_->wait().Read()) {
      text += more;
    }
    while (!logs_ended_) PassOn();
    status_ = static_cast<int>(specs::ParseUnsigned(specs::Trim(text)).value_or(1) & 255u);
    done_ = true;
  }

  // All that happens in quick succession is one change.
  void Settle() {
    pollfd more{watch_->fd(), POLLIN, 0};
    while (::poll(&more, 1, kSettleMs) > 0) watch_->Changed();
  }

  void Rebuild() {
    Settle();
    const auto begin = Clock::now();
    try {
      Container next = options_.rebuild();
      watch_->Watch(PlacesOf(next.loaded));
      if (next.digest == container_.digest && Inside(next.plan) == Inside(container_.plan)) {
        container_.loaded = std::move(next.loaded);
        return;
      }
      Replace(std::move(next));
    } catch (const specs::Error& error) {
      fmt::print(stderr, "error: {}\n", error.what());
      if (attached_) session_.progress().Warning("the container that runs stays as it is");
      if (!attached_) throw;
      return;
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
    session_.progress().Info(fmt::format(
        "replaced after {}", specs::HumanDuration(static_cast<std::uint64_t>(took.count()))));
  }

  void Replace(Container next) {
    Stop();
    next.plan.ports = Inside(next.plan) == Inside(container_.plan) ? container_.plan.ports
                                                                   : ChoosePorts(Inside(next.plan));
    container_ = std::move(next);
    logs_ended_ = false;
    line_.clear();
    Start();
  }

  Session& session_;
  Container container_;
  const FollowOptions& options_;
  std::optional<Attached> attached_;
  std::optional<FileWatch> watch_;
  std::string line_;  // that has not ended yet
  bool logs_ended_ = false;
  bool opened_ = false;
  bool done_ = false;
  int status_ = 0;
};

}  // namespace

std::string AddressIn(std::string_view line) {
  constexpr std::string_view kAddress = "http://127.0.0.1:";
  if (line.starts_with('[') || line.starts_with("imgbuild-init:")) return "";
  const std::size_t at = line.find(kAddress);
  if (at == std::string_view::npos) return "";
  return std::string(line.substr(at, line.find_first_of(" \t\r", at) - at));
}

std::vector<fs::path> PlacesOf(const specs::LoadedSpec& loaded) {
  std::set<fs::path> places = {loaded.sources.file, specs::OverlayPath(loaded.sources.file)};
  for (const std::string& file : loaded.sources.extends) places.insert(file);
  auto add = [&](const specs::SourcePosition& where) {
    if (!where.file.empty() && !where.file.starts_with("--set")) places.insert(where.file);
  };
  for (const auto& list : loaded.sources.requirements) std::ranges::for_each(list, add);
  std::ranges::for_each(loaded.sources.constraints, add);
  for (const specs::FilesEntry& entry : loaded.spec.files) places.insert(entry.from);
  for (const std::string& file : loaded.spec.system.certificates) places.insert(file);
  for (const specs::PythonLayer& layer : loaded.spec.python.layers) {
    for (const std::string& package : layer.packages) {
      if (specs::IsLocalWheel(package)) places.insert(package);
    }
  }
  return {places.begin(), places.end()};
}

std::string OpenerIn(const Environment& environment) {
  const std::string path = environment.Get("PATH").value_or("/usr/bin:/bin");
  std::string opener = FindProgram("xdg-open", path);
  return opener.empty() ? FindProgram("open", path) : opener;
}

int FollowContainer(Session& session, Container container, const FollowOptions& options) {
  return Follower(session, std::move(container), options).Run();
}

}  // namespace imgbuild::builder
