#include "runtime/supervisor.h"

#include <initializer_list>

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
constexpr std::uint64_t kForegroundStopMs = 5'000;   // from its signal to SIGKILL
constexpr int kLeftoverMs = 1'000;

constexpr int kStopSignals[] = {SIGTERM, SIGINT, SIGQUIT};
constexpr int kPassedSignals[] = {SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGALRM};

bool IsStopSignal(int number) {
  for (int stop : kStopSignals) {
    if (stop == number) return true;
  }
  return false;
}

// poll() that comes back much too late was not late: we could not run, and so nobody could do in
// time what was to be done by then. They get a little time for it now.
void SkipPause(std::uint64_t before, std::uint64_t timeout) {
  constexpr std::uint64_t kGraceMs = 1'000;
  const std::uint64_t now = NowMs();
  if (now < before + timeout + kGraceMs) return;
  SkipMs(now - before - (timeout > kGraceMs ? timeout - kGraceMs : 0));
}

// Lines of two outputs would tear each other where both lead to one place.
bool IsOneFile(int a, int b) {
  struct stat first {};
  struct stat second {};
  return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino && first.st_rdev == second.st_rdev;
}

}  // namespace

// Null, or why not.
const char* Supervisor::OpenService(std::size_t i, Service& service) {
  services_[i] = &service;
  FixedText<256> file;
  file.Add(kLogDirectory).Add("/").Add(table_->services[i].name).Add(".log");
  Outputs outputs{&out_, &errors(), foreground_ != nullptr ? file.data() : nullptr};
  const char* reason = service.Open(table_->services[i], outputs);
  if (reason == nullptr) return nullptr;
  FixedText<200> text;
  text.Add(table_->services[i].name).Add(" ").Add(reason);
  Say(text.data());
  return reason;
}

const char* Supervisor::Open() {
  out_.Open();
  err_.Open();
  one_output_ = IsOneFile(out_.shared(), err_.shared());
  sigset_t handled;
  sigemptyset(&handled);
  sigaddset(&handled, SIGCHLD);
  for (int number : kStopSignals) sigaddset(&handled, number);
  for (int number : kPassedSignals) sigaddset(&handled, number);
  sigprocmask(SIG_BLOCK, &handled, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signals_ = signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) return strerror(errno);
  // Orphans come to us also where we are not PID 1.
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (foreground_ != nullptr && table_->size > 0) mkdir(kLogDirectory, 0700);
  for (std::size_t i = 0; i < table_->size; ++i) {
    if (const char* reason = OpenService(i, slots_[i])) return reason;
  }
  if (table_->size > 0) control_.Open();
  return nullptr;
}

void Supervisor::Say(const char* text) {
  errors().AddLine({}, LogStream::kSupervisor, text, strlen(text));
}

int Supervisor::Run() {
  if (const char* reason = Open()) {
    FixedText<256> text;
    text.Add("cannot start: ").Add(reason);
    Say(text.data());
    errors().Drain(100, NowMs() + 100);
    return 125;
  }
  started_ms_ = NowMs();
  while (!Finished()) Loop();
  control_.Close();
  EndLeftovers();
  FinishOutput();
  return exit_code_;
}

// Passes on what is left, as long as somebody takes it, but not for ever: readers may be slow, and
// what outlives us may write on and on.
void Supervisor::FinishOutput() {
  constexpr std::uint64_t kPatienceMs = 500;
  constexpr std::uint64_t kLongestMs = 2'000;
  const std::uint64_t until = NowMs() + kLongestMs;
  bool more = true;
  while (more && NowMs() < until) {
    more = false;
    for (std::size_t i = 0; i < table_->size; ++i) {
      for (LineReader* reader : {&services_[i]->out(), &services_[i]->err()}) {
        reader->Finish(NowMs());
        more = more || reader->HasInput();
      }
    }
    const bool out = out_.Drain(kPatienceMs, until);
    if (!errors().Drain(kPatienceMs, until) || !out) return;
  }
}

void Supervisor::Loop() {
  const std::uint64_t now = NowMs();
  if (next_table_ != nullptr) FinishReload();
  if (stopping_) {
    StopInOrder(now);
  } else if (next_table_ == nullptr) {
    StartWhatCan(now);
  }
  bool more = false;  // others may start now
  for (std::size_t i = 0; i < table_->size; ++i) {
    if (!services_[i]->Tick(now)) continue;
    BecameReady(*services_[i]);
    more = true;
  }
  EndWithEssentials();
  if (!stopping_) StartForeground(now);
  if (foreground_pid_ > 0 && foreground_kill_ms_ != 0 && now >= foreground_kill_ms_) {
    Say("the command did not stop in time, killing it");
    kill(foreground_pid_, SIGKILL);
    foreground_kill_ms_ = 0;
  }
  if (!more && !Finished()) Wait();
}

void Supervisor::StartWhatCan(std::uint64_t now) {
  for (std::size_t i = 0; i < table_->size; ++i) {
    Service& service = *services_[i];
    if (service.state() != ServiceState::kWaiting) continue;
    bool can = true;
    const char* failed = nullptr;
    for (std::size_t k = 0; k < service.entry().after_size; ++k) {
      const Service& before = *services_[service.entry().after[k]];
      can = can && before.HasPassed();
      if (before.GaveUp() && !before.HasPassed()) failed = before.entry().name;
    }
    if (failed != nullptr) {
      service.GiveUp(failed);
    } else if (can) {
      service.Start(now);
    }
  }
}

void Supervisor::EndWithEssentials() {
  for (std::size_t i = 0; !stopping_ && i < table_->size; ++i) {
    if (!services_[i]->EndsAll()) continue;
    exit_code_ = services_[i]->exit_code();
    BeginStop();
  }
}

void Supervisor::StartForeground(std::uint64_t now) {
  if (foreground_ == nullptr || foreground_pid_ > 0 || foreground_done_) return;
  bool settled = true;
  for (std::size_t i = 0; i < table_->size; ++i) settled = settled && services_[i]->IsSettled();
  if (!settled && now - started_ms_ < kForegroundWaitMs) return;
  errors().Drain(200, now + 200);
  foreground_pid_ = Spawn({.argv = foreground_});
  if (foreground_pid_ > 0) return;
  FixedText<256> text;
  text.Add("cannot start ").Add(foreground_[0]).Add(": ").Add(strerror(errno));
  Say(text.data());
  foreground_done_ = true;
  exit_code_ = 125;
  BeginStop();
}

void Supervisor::BecameReady(const Service& service) {
  // The announcement is for people: beside a foreground command it goes to the terminal too.
  service.Announce(foreground_ != nullptr ? errors() : out_);
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
    if (number == SIGTERM && table_->size > 0) kill(foreground_pid_, SIGHUP);
    if (IsStopSignal(number) && table_->size > 0 && number != SIGINT) {
      BeginStop();
      if (foreground_kill_ms_ == 0) foreground_kill_ms_ = NowMs() + kForegroundStopMs;
    }
    return;
  }
  if (IsStopSignal(number)) {
    foreground_done_ = true;
    BeginStop();
    return;
  }
  if (number == SIGHUP && foreground_ == nullptr) {
    BeginReload(NowMs());
    return;
  }
  for (std::size_t i = 0; i < table_->size; ++i) {
    if (services_[i]->running()) kill(services_[i]->pid(), number);
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
  for (std::size_t i = 0; i < table_->size; ++i) {
    Service& service = *services_[i];
    if (service.pid() == pid) return service.Ended(wait_status, NowMs(), stopping_);
    if (service.probe().pid() != pid) continue;
    if (service.ProbeEnded(wait_status, NowMs())) BecameReady(service);
    return;
  }
}

void Supervisor::BeginStop() {
  stopping_ = true;
  next_table_ = nullptr;
}

void Supervisor::StopInOrder(std::uint64_t now) {
  for (std::size_t i = 0; i < table_->size; ++i) {
    bool needed = false;
    for (std::size_t later = i + 1; later < table_->size; ++later) {
      const ServiceEntry& entry = table_->services[later];
      for (std::size_t k = 0; k < entry.after_size; ++k) {
        needed = needed || (entry.after[k] == i && services_[later]->running());
      }
    }
    if (!needed) services_[i]->Stop(now);
  }
}

bool Supervisor::Finished() const {
  bool any = next_table_ != nullptr;
  for (std::size_t i = 0; i < table_->size; ++i) {
    any =
        any || (stopping_ ? services_[i]->running() : services_[i]->state() != ServiceState::kDone);
  }
  if (foreground_ != nullptr) return foreground_done_ && !any && foreground_pid_ < 0;
  return !any;
}

int Supervisor::PollTimeout(std::uint64_t now) const {
  std::uint64_t due = now + 60'000;
  auto consider = [&](std::uint64_t wanted) {
    if (wanted < due) due = wanted;
  };
  for (std::size_t i = 0; i < table_->size; ++i) consider(services_[i]->due_ms());
  if (foreground_pid_ > 0 && foreground_kill_ms_ != 0) consider(foreground_kill_ms_);
  consider(control_.due_ms(now));
  consider(out_.due_ms(now));
  consider(err_.due_ms(now));
  return due > now ? static_cast<int>(due - now) : 0;
}

void Supervisor::Wait() {
  constexpr std::size_t kOwn = 3;
  pollfd polled[kOwn + 3 * kMaxServices + Control::kDescriptors];
  const std::uint64_t before = NowMs();
  out_.Tick(before);
  err_.Tick(before);
  polled[0] = {signals_, POLLIN, 0};
  polled[1] = {out_.fd(before), POLLOUT, 0};
  polled[2] = {err_.fd(before), POLLOUT, 0};
  nfds_t count = kOwn;
  for (std::size_t i = 0; i < table_->size; ++i) {
    Service& service = *services_[i];
    polled[count++] = {service.out().WantsInput() ? service.out().fd() : -1, POLLIN, 0};
    polled[count++] = {service.err().WantsInput() ? service.err().fd() : -1, POLLIN, 0};
    polled[count++] = {service.probe().fd(), service.probe().events(), 0};
  }
  pollfd* const asked = polled + count;
  control_.Prepare(asked, before);
  count += Control::kDescriptors;
  const int timeout = PollTimeout(before);
  const int events = poll(polled, count, timeout);
  SkipPause(before, static_cast<std::uint64_t>(timeout));
  const std::uint64_t now = NowMs();
  control_.Tick(now);
  if (events <= 0) return;
  if (polled[1].revents != 0) out_.Flush(now);
  if (polled[2].revents != 0) err_.Flush(now);
  HandleOutput(polled + kOwn, now);
  if (polled[0].revents != 0) OnSignals();
  control_.Handle(asked, now, *this);
}

void Supervisor::HandleOutput(const pollfd* polled, std::uint64_t now) {
  const std::size_t size = table_->size;
  // In turns, so that one who writes much leaves room for the others.
  ++first_;
  for (std::size_t n = 0; n < size; ++n) {
    const std::size_t i = (first_ + n) % size;
    Service& service = *services_[i];
    if (polled[3 * i].revents != 0) service.out().Read();
    if (polled[3 * i + 1].revents != 0) service.err().Read();
    if (polled[3 * i + 2].revents != 0 && service.ContinueProbe(now)) BecameReady(service);
  }
}

void Supervisor::EndLeftovers() {
  if (foreground_ == nullptr && !stopping_) {
    for (std::size_t i = table_->size; i-- > 0;) {
      if (services_[i]->exit_code() != 0) exit_code_ = services_[i]->exit_code();
    }
  }
  // kill(-1) reaches all that is left in the container, and would reach beyond it elsewhere.
  const bool first = getpid() == 1;
  if (first) kill(-1, SIGTERM);
  for (int waited = 0; waited < kLeftoverMs; waited += 10) {
    pid_t pid;
    while ((pid = waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    bool any = first && pid == 0;
    for (std::size_t i = 0; i < table_->size; ++i) any = any || services_[i]->HasLeftovers();
    if (!any) return;
    poll(nullptr, 0, 10);
  }
  for (std::size_t i = 0; i < table_->size; ++i) services_[i]->KillLeftovers();
  if (first) kill(-1, SIGKILL);
}

}  // namespace imgbuild::runtime
