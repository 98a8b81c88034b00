#include "runtime/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/clock.h"
#include "runtime/process.h"

namespace imgbuild::runtime {
namespace {

constexpr char kLogDirectory[] = "/tmp/imgbuild-log";
constexpr std::uint64_t kForegroundWaitMs = 10'000;  // for services to be ready first
constexpr int kLeftoverMs = 1'000;

constexpr int kStopSignals[] = {SIGTERM, SIGINT, SIGQUIT};
constexpr int kPassedSignals[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGALRM};

bool IsStopSignal(int number) {
  for (int stop : kStopSignals) {
    if (stop == number) return true;
  }
  return false;
}

}  // namespace

bool Supervisor::Open() {
  sigset_t handled;
  sigemptyset(&handled);
  sigaddset(&handled, SIGCHLD);
  for (int number : kStopSignals) sigaddset(&handled, number);
  for (int number : kPassedSignals) sigaddset(&handled, number);
  sigprocmask(SIG_BLOCK, &handled, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signals_ = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) return false;
  // Orphans come to us also where we are not PID 1.
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const bool to_files = foreground_ != nullptr && table_.size > 0;
  if (to_files) mkdir(kLogDirectory, 0700);
  for (std::size_t i = 0; i < table_.size; ++i) {
    FixedText<256> file;
    file.Add(kLogDirectory).Add("/").Add(table_.services[i].name).Add(".log");
    if (!services_[i].Open(table_.services[i], &out_, &err_, to_files ? file.data() : nullptr)) {
      return false;
    }
  }
  if (table_.size > 0) control_.Open();
  return true;
}

int Supervisor::Run() {
  if (!Open()) {
    FixedText<256> line;
    line.Add("imgbuild-init: cannot start: ").Add(strerror(errno)).Add("\n");
    err_.Add(line.data(), line.size());
    err_.Drain(100);
    return 125;
  }
  started_ms_ = NowMs();
  while (!Finished()) {
    const std::uint64_t now = NowMs();
    if (stopping_) {
      StopInOrder(now);
    } else {
      StartWhatCan(now);
    }
    for (std::size_t i = 0; i < table_.size; ++i) {
      if (services_[i].Tick(now)) BecameReady(services_[i]);
    }
    if (!stopping_) StartForeground(now);
    if (!Finished()) Wait();
  }
  control_.Close();
  EndLeftovers();
  for (std::size_t i = 0; i < table_.size; ++i) {
    services_[i].out().Read();
    services_[i].err().Read();
  }
  out_.Drain(200);
  err_.Drain(200);
  return exit_code_;
}

void Supervisor::StartWhatCan(std::uint64_t now) {
  for (std::size_t i = 0; i < table_.size; ++i) {
    Service& service = services_[i];
    if (service.state() != ServiceState::kWaiting) continue;
    bool can = true;
    for (std::size_t k = 0; k < service.entry().after_size; ++k) {
      can = can && services_[service.entry().after[k]].state() == ServiceState::kReady;
    }
    if (can) service.Start(now);
  }
}

void Supervisor::StartForeground(std::uint64_t now) {
  if (foreground_ == nullptr || foreground_pid_ > 0 || foreground_done_) return;
  bool settled = true;
  for (std::size_t i = 0; i < table_.size; ++i) settled = settled && services_[i].IsSettled();
  if (!settled && now - started_ms_ < kForegroundWaitMs) return;
  err_.Drain(200);
  foreground_pid_ = Spawn({.argv = foreground_->argv, .service = false});
  if (foreground_pid_ > 0) return;
  foreground_done_ = true;
  exit_code_ = 125;
  BeginStop();
}

void Supervisor::BecameReady(const Service& service) {
  // The announcement is for people: beside a foreground command it goes to the terminal too.
  service.Announce(foreground_ != nullptr ? err_ : out_);
}

void Supervisor::OnSignals() {
  signalfd_siginfo info;
  while (read(signals_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    OnSignal(static_cast<int>(info.ssi_signo));
  }
}

void Supervisor::OnSignal(int number) {
  if (number == SIGCHLD) {
    Reap();
    return;
  }
  if (foreground_pid_ > 0) {
    kill(foreground_pid_, number);
    // An interactive shell ignores TERM, but not that its terminal is gone.
    if (number == SIGTERM && table_.size > 0) kill(foreground_pid_, SIGHUP);
    if (IsStopSignal(number) && table_.size > 0 && number != SIGINT) BeginStop();
    return;
  }
  if (IsStopSignal(number)) {
    foreground_done_ = true;
    BeginStop();
    return;
  }
  for (std::size_t i = 0; i < table_.size; ++i) {
    if (services_[i].running()) kill(services_[i].pid(), number);
  }
}

void Supervisor::Reap() {
  int status = 0;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) OnChild(pid, status);
}

void Supervisor::OnChild(pid_t pid, int wait_status) {
  if (pid == foreground_pid_) {
    foreground_pid_ = -1;
    foreground_done_ = true;
    if (!stopping_ || exit_code_ == 0) exit_code_ = ExitCode(wait_status);
    BeginStop();
    return;
  }
  for (std::size_t i = 0; i < table_.size; ++i) {
    Service& service = services_[i];
    if (service.pid() != pid) continue;
    service.Ended(wait_status, NowMs(), stopping_);
    if (!stopping_ && service.state() == ServiceState::kDone && service.entry().essential) {
      exit_code_ = service.exit_code();
      BeginStop();
    }
    return;
  }
}

void Supervisor::BeginStop() { stopping_ = true; }

void Supervisor::StopInOrder(std::uint64_t now) {
  for (std::size_t i = 0; i < table_.size; ++i) {
    bool needed = false;
    for (std::size_t later = i + 1; later < table_.size; ++later) {
      const ServiceEntry& entry = table_.services[later];
      for (std::size_t k = 0; k < entry.after_size; ++k) {
        needed = needed || (entry.after[k] == i && services_[later].running());
      }
    }
    if (!needed) services_[i].Stop(now);
  }
}

bool Supervisor::Finished() const {
  bool any = false;
  for (std::size_t i = 0; i < table_.size; ++i) {
    any = any || (stopping_ ? services_[i].running() : services_[i].state() != ServiceState::kDone);
  }
  if (foreground_ != nullptr) return foreground_done_ && !any && foreground_pid_ < 0;
  return !any;
}

int Supervisor::PollTimeout(std::uint64_t now) const {
  std::uint64_t due = now + 60'000;
  for (std::size_t i = 0; i < table_.size; ++i) {
    const std::uint64_t wanted = services_[i].due_ms();
    due = wanted < due ? wanted : due;
  }
  const std::uint64_t client = control_.due_ms();
  due = client < due ? client : due;
  if (foreground_ != nullptr && foreground_pid_ < 0 && !foreground_done_) {
    const std::uint64_t wanted = started_ms_ + kForegroundWaitMs;
    due = wanted < due ? wanted : due;
  }
  return due <= now ? 0 : static_cast<int>(due - now);
}

void Supervisor::Wait() {
  pollfd polled[3 + 3 * kMaxServices + Control::kDescriptors];
  polled[0] = {signals_, POLLIN, 0};
  polled[1] = {out_.HasPending() ? out_.fd() : -1, POLLOUT, 0};
  polled[2] = {err_.HasPending() ? err_.fd() : -1, POLLOUT, 0};
  nfds_t count = 3;
  for (std::size_t i = 0; i < table_.size; ++i) {
    Service& service = services_[i];
    polled[count++] = {service.out().WantsInput() ? service.out().fd() : -1, POLLIN, 0};
    polled[count++] = {service.err().WantsInput() ? service.err().fd() : -1, POLLIN, 0};
    polled[count++] = {service.probe().fd(), service.probe().events(), 0};
  }
  pollfd* const asked = polled + count;
  control_.Prepare(asked);
  count += Control::kDescriptors;
  const int events = poll(polled, count, PollTimeout(NowMs()));
  control_.Tick(NowMs());
  if (events <= 0) return;
  if (polled[1].revents != 0) out_.Flush();
  if (polled[2].revents != 0) err_.Flush();
  const std::uint64_t now = NowMs();
  for (std::size_t i = 0; i < table_.size; ++i) {
    const pollfd* mine = &polled[3 + 3 * i];
    if (mine[0].revents != 0) services_[i].out().Read();
    if (mine[1].revents != 0) services_[i].err().Read();
    if (mine[2].revents != 0 && services_[i].ContinueProbe(now)) BecameReady(services_[i]);
  }
  if (polled[0].revents != 0) OnSignals();
  control_.Handle(asked, now, *this);
}

void Supervisor::EndLeftovers() {
  if (foreground_ == nullptr && !stopping_) {
    for (std::size_t i = table_.size; i-- > 0;) {
      if (services_[i].exit_code() != 0) exit_code_ = services_[i].exit_code();
    }
  }
  if (getpid() != 1) return;  // kill(-1) would reach beyond the container
  kill(-1, SIGTERM);
  for (int waited = 0; waited < kLeftoverMs; waited += 10) {
    pid_t pid;
    while ((pid = waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (pid < 0) return;  // ECHILD: nobody is left
    poll(nullptr, 0, 10);
  }
  kill(-1, SIGKILL);
}

}  // namespace imgbuild::runtime
