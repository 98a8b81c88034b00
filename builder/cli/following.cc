#include "builder/cli/following.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <poll.h>

#include "builder/cli/additions.h"
#include "builder/cli/interrupt.h"
#include "builder/engine/containers.h"
#include "builder/engine/load.h"
#include "builder/host/program.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Editors write in several steps.
constexpr int kSettleMs = 100;

// When what was replaced is removed, which takes processors from what has just been started.
constexpr std::chrono::seconds kTidyAfter(5);

// What a service may take beyond the time that its own probe has.
constexpr std::chrono::seconds kStarting(30);

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

std::vector<std::uint32_t> Inside(const RunPlan& plan) {
  std::vector<std::uint32_t> ports;
  for (const PublishedPort& port : plan.ports) ports.push_back(port.inside);
  return ports;
}

// Until when an address is waited for.
Clock::time_point AnnouncedBy(const specs::Spec& spec) {
  auto time = Clock::now() + kStarting;
  for (const specs::Service& service : spec.services) {
    time += std::chrono::milliseconds(service.ready.timeout_ms);
  }
  return time;
}

// Which container there is. An interrupt may be at it when its follower is gone.
struct Changing {
  std::mutex mutex;
  bool over = false;  // guarded by mutex: there is no follower any more
};

class Follower {
 public:
  Follower(Session& session, Container container, const FollowOptions& options)
      : session_(session), container_(std::move(container)), options_(options) {}
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  // On every way out. An interrupt that came first ends the process meanwhile.
  ~Follower() {
    std::lock_guard lock(changing_->mutex);
    changing_->over = true;
    OnInterrupt(nullptr);
    TidyUp();
  }

  int Run() {
    OnInterrupt([this, changing = changing_] {
      changing->mutex.lock();  // not given back: no container starts after it
      return changing->over ? static_cast<int>(specs::ErrorKind::kInterrupted) : EndByInterrupt();
    });
    if (options_.leave) leave_by_ = AnnouncedBy(container_.loaded.spec);
    {
      std::lock_guard lock(changing_->mutex);
      Start();
    }
    while (!done_) Step();
    return status_;
  }

 private:
  // On the thread that waits for signals. REQUIRES: changing_.
  int EndByInterrupt() {
    int status = 0;
    try {
      for (const FoundContainer& found : Found()) {
        Tell(AddedPackages(container_.engine, container_.plan.container));
        RemoveContainer(container_.engine, found);
      }
    } catch (const specs::Error& error) {
      fmt::print(stderr, "error: {}\n", error.what());
      status = static_cast<int>(error.kind());
    }
    TidyUp();
    return status;
  }

  // The container as the engine has it; none where it is gone.
  std::vector<FoundContainer> Found() const {
    std::vector<FoundContainer> found = FindContainers(container_.engine);
    std::erase_if(found, [&](const FoundContainer& other) {
      return other.name != container_.plan.container;
    });
    return found;
  }

  void Tell(const std::vector<std::string>& added) {
    if (added.empty()) return;
    session_.progress().Info(RenderAdded(added, SpecOption(container_.plan.spec)));
  }

  // REQUIRES: changing_, for these five.
  void Start() {
    const std::vector<std::string> words = RunArguments(container_.engine, container_.plan);
    session_.progress().Detail(specs::Join(words, " "));
    std::fflush(nullptr);
    if (const int status = RunProgram({.words = words}).status; status != 0) {
      throw specs::Error(fmt::format("{} did not start the container", container_.engine.program))
          .Found(fmt::format("exit status {}; what it said is above", status));
    }
    attached_.emplace(container_.engine, container_.plan.container);
  }

  void Stop() {
    attached_.reset();
    for (const FoundContainer& found : Found()) RemoveContainer(container_.engine, found);
  }

  void Replace(Container next) {
    Stop();
    PublishPorts(session_, next.plan, container_.plan.ports);
    container_ = std::move(next);
    logs_ended_ = false;
    line_.clear();
    Start();
  }

  // What an engine keeps of a container that ended is in the way of the next one at most, which
  // removes it as well.
  void RemoveEnded() {
    if (RemovesDetached(container_.engine)) return;
    try {
      for (const FoundContainer& found : Found()) {
        if (!found.IsUp()) RemoveContainer(container_.engine, found);
      }
    } catch (const specs::Error& error) {
      session_.progress().Warning(error.message());
    }
  }

  // An image that stays takes room and nothing else: that is no reason to end.
  void TidyUp() {
    for (const std::string& image : replaced_) {
      try {
        RemoveUnusedImage(container_.engine, image);
      } catch (const specs::Error& error) {
        session_.progress().Detail(error.message());
      }
    }
    replaced_.clear();
  }

  void Step() {
    if (!replaced_.empty() && Clock::now() >= tidy_at_) {
      std::lock_guard lock(changing_->mutex);
      TidyUp();
    }
    pollfd ready[] = {{attached_->logs().fd(), POLLIN, 0},
                      {attached_->wait().fd(), POLLIN, 0},
                      {options_.watch != nullptr ? options_.watch->fd() : -1, POLLIN, 0}};
    if (logs_ended_) ready[0].fd = -1;
    const int count = ::poll(ready, std::size(ready), MillisecondsLeft());
    if (count < 0) return;
    if (count == 0) {
      if (leave_by_ && Clock::now() >= *leave_by_) LeaveLate();
    } else if (ready[0].revents != 0) {
      PassOn();
    } else if (ready[1].revents != 0) {
      End();
    } else if (options_.watch->Changed()) {
      Rebuild();
    }
  }

  int MillisecondsLeft() const {
    auto wake = leave_by_.value_or(Clock::time_point::max());
    if (!replaced_.empty()) wake = std::min(wake, tidy_at_);
    if (wake == Clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }

  void LeaveLate() {
    done_ = true;
    session_.progress().Warning(
        fmt::format("no address has been announced yet, and none is opened; it goes on: "
                    "`imgbuild logs {}`",
                    container_.plan.environment));
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
    std::lock_guard lock(changing_->mutex);
    RemoveEnded();
  }

  // All that happens in quick succession is one change.
  void Settle() {
    pollfd more{options_.watch->fd(), POLLIN, 0};
    while (::poll(&more, 1, kSettleMs) > 0) options_.watch->Changed();
  }

  // What is watched only now may have changed while it was built.
  void Rebuild() {
    for (bool again = true; again;) {
      Settle();
      const std::vector<fs::path> before = PlacesOf(container_.loaded);
      again = RebuildOnce() && PlacesOf(container_.loaded) != before;
    }
  }

  // Whether it builds.
  bool RebuildOnce() {
    const auto begin = Clock::now();
    try {
      const std::string before = OwnImage();
      // Asked while it is built: what is added in that second is not told.
      auto added = std::async(std::launch::async, AddedPackages, container_.engine,
                              container_.plan.container);
      Container next = options_.rebuild();
      options_.watch->Watch(PlacesOf(next.loaded));
      if (next.digest == container_.digest && Inside(next.plan) == Inside(container_.plan)) {
        container_.loaded = std::move(next.loaded);
        return true;
      }
      {
        std::lock_guard lock(changing_->mutex);
        Tell(added.get());
        replaced_.push_back(before);
        Replace(std::move(next));
        tidy_at_ = Clock::now() + kTidyAfter;
      }
    } catch (const specs::Error& error) {
      fmt::print(stderr, "error: {}\n", error.what());
      if (!attached_) throw;
      session_.progress().Warning("the container that runs stays as it is");
      return false;
    }
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
    session_.progress().Info(fmt::format(
        "replaced after {}", specs::HumanDuration(static_cast<std::uint64_t>(took.count()))));
    return true;
  }

  std::string OwnImage() const {
    const std::string& image = container_.plan.image;
    return container_.engine.kind == EngineKind::kPodman ? image
                                                         : ImageId(container_.engine, image);
  }

  Session& session_;
  Container container_;
  const FollowOptions& options_;
  std::shared_ptr<Changing> changing_ = std::make_shared<Changing>();
  std::optional<Attached> attached_;
  std::optional<Clock::time_point> leave_by_;
  std::vector<std::string> replaced_;  // images
  Clock::time_point tidy_at_;
  std::string line_;  // that has not ended yet
  bool logs_ended_ = false;
  bool opened_ = false;
  bool done_ = false;
  int status_ = 0;
};

constexpr std::string_view kAddress = "http://127.0.0.1:";

// What the supervisor itself says in a line of JSON; "" where a service says it.
std::string Message(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || json.value("stream", "") != "supervisor") return "";
  return json.value("message", "");
}

}  // namespace

std::string AddressIn(std::string_view line) {
  if (line.starts_with('{')) return AddressIn(Message(line));
  const bool of_service = line.starts_with('[') || line.starts_with('\033');
  if (of_service || line.starts_with("imgbuild-init:")) return "";
  const std::size_t at = line.find(kAddress);
  if (at == std::string_view::npos) return "";
  return std::string(line.substr(at, line.find_first_of(" \t\r", at) - at));
}

bool AnnouncesAddress(const specs::Spec& spec) {
  return std::ranges::any_of(spec.services, [](const specs::Service& service) {
    return service.announce.find(kAddress) != std::string::npos;
  });
}

std::vector<fs::path> PlacesOf(const specs::LoadedSpec& loaded) {
  std::set<fs::path> places(loaded.sources.files.begin(), loaded.sources.files.end());
  places.insert(specs::OverlayPath(loaded.sources.file));
  for (const specs::FilesEntry& entry : loaded.spec.files) places.insert(entry.from);
  for (const std::string& file : loaded.spec.system.certificates) places.insert(file);
  constexpr std::string_view kHere = "file://";
  for (const specs::ArtifactEntry& artifact : loaded.spec.artifacts) {
    if (artifact.url.starts_with(kHere)) places.insert(artifact.url.substr(kHere.size()));
  }
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
