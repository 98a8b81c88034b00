#include "runtime/service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "runtime/clock.h"
#include "runtime/process.h"
#include "runtime/surroundings.h"

namespace imgbuild::runtime {
namespace {

constexpr std::uint64_t kProbeEveryMs = 50;
constexpr std::uint64_t kProbeByCommandEveryMs = 250;
constexpr std::uint64_t kFirstBackoffMs = 250;
constexpr std::uint64_t kLongestBackoffMs = 30'000;
constexpr std::uint64_t kHealthyMs = 10'000;  // an uptime that forgets earlier failures
constexpr int kPipeSize = 256 * 1024;         // bytes; less where the kernel grants less

bool OpenPipe(int& read_end, int& write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  fcntl(ends[0], F_SETPIPE_SZ, kPipeSize);
  read_end = ends[0];
  write_end = ends[1];
  return true;
}

void CloseAndForget(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

std::uint64_t Backoff(std::uint32_t ends) {
  std::uint64_t wait = kFirstBackoffMs;
  for (std::uint32_t i = 1; i < ends && wait < kLongestBackoffMs; ++i) wait *= 2;
  return wait < kLongestBackoffMs ? wait : kLongestBackoffMs;
}

}  // namespace

const char* StateName(ServiceState state) {
  switch (state) {
    case ServiceState::kWaiting:
      return "waiting";
    case ServiceState::kStarting:
      return "starting";
    case ServiceState::kReady:
      return "ready";
    case ServiceState::kEnding:
      return "ending";
    case ServiceState::kBackoff:
      return "backoff";
    case ServiceState::kDone:
      return "done";
    case ServiceState::kStopped:
      return "stopped";
  }
  return "";
}

void Service::Enter(ServiceState state) {
  state_ = state;
  changed_ms_ = NowMs();
}

const char* Service::Open(const ServiceEntry& entry, const Outputs& outputs) {
  entry_ = &entry;
  console_ = outputs.err;
  source_.name = entry.name;
  state_ = ServiceState::kWaiting;
  exit_code_ = 0;
  group_ = -1;
  ends_ = failures_ = unanswered_ = starts_ = 0;
  hold_ = renew_ = unwell_ = false;
  kill_ms_ = 0;
  tail_.Clear();
  token_variable_.Clear();
  token_ = nullptr;
  changed_ms_ = NowMs();
  if (const char* reason = OpenIdentity()) return reason;
  return OpenOutputs(outputs);
}

const char* Service::OpenIdentity() {
  has_identity_ = entry_->user != nullptr;
  if (!has_identity_) return nullptr;
  if (!FindIdentity(kPasswdFile, entry_->user, identity_)) return "runs as a user that is unknown";
  if (geteuid() == 0 || (geteuid() == identity_.uid && getegid() == identity_.gid)) return nullptr;
  return "runs as another user, which takes a container that starts as root";
}

const char* Service::OpenOutputs(const Outputs& outputs) {
  null_fd_ = open("/dev/null", O_WRONLY | O_CLOEXEC);
  int out_read = -1;
  int err_read = -1;
  if (!OpenPipe(out_read, out_fd_) || !OpenPipe(err_read, err_fd_)) {
    return "has no pipe for its output";
  }
  // So that it may open /dev/stdout, too.
  if (has_identity_ && (fchown(out_fd_, identity_.uid, identity_.gid) != 0 ||
                        fchown(err_fd_, identity_.uid, identity_.gid) != 0)) {
    return "cannot be given its output";
  }
  const bool to_file = outputs.log_file != nullptr;
  if (to_file) file_.Open(outputs.log_file);
  LogFile* const file = to_file ? &file_ : nullptr;
  out_.Open(out_read, &source_, LogStream::kOut, {to_file ? nullptr : outputs.out, file, &tail_});
  err_.Open(err_read, &source_, LogStream::kErr, {to_file ? nullptr : outputs.err, file, &tail_});
  return nullptr;
}

void Service::Close() {
  probe_.Stop();
  out_.Close();
  err_.Close();
  file_.Close();
  CloseAndForget(out_fd_);
  CloseAndForget(err_fd_);
  CloseAndForget(null_fd_);
  entry_ = nullptr;
}

void Service::set_entry(const ServiceEntry& entry) {
  probe_.Stop();  // its entry is of the other table; the next attempt is of this one
  entry_ = &entry;
  source_.name = entry.name;
}

// Made once, and then given to each start whose surroundings do not have another.
void Service::ChooseToken() {
  token_ = nullptr;
  if (entry_->token == nullptr || HasToken(*entry_)) return;
  if (token_variable_.size() == 0) {
    unsigned char random[24];
    if (getrandom(random, sizeof random, 0) != sizeof random) return;
    token_variable_.Add(entry_->token).Add("=");
    for (unsigned char byte : random) {
      const char digits[2] = {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
      token_variable_.Add(digits, 2);
    }
  }
  if (!token_variable_.cut()) token_ = strchr(token_variable_.data(), '=') + 1;
}

void Service::Say(const char* text) {
  console_->AddLine(source_, LogStream::kSupervisor, text, strlen(text));
}

SpawnPlan Service::Plan() const {
  return {.argv = entry_->command.argv,
          .service = entry_,
          .identity = has_identity_ ? &identity_ : nullptr,
          .token = token_ != nullptr ? token_variable_.data() : nullptr,
          .out = out_fd_,
          .err = err_fd_};
}

void Service::Start(std::uint64_t now) {
  ChooseToken();
  pid_ = Spawn(Plan());
  started_ms_ = now;
  told_slow_ = false;
  unanswered_ = 0;
  ++starts_;
  if (pid_ < 0) {
    FixedText<256> text;
    text.Add("cannot be started: ").Add(strerror(errno));
    Say(text.data());
    exit_code_ = 125;
    ++failures_;
    StartLater(now);
    return;
  }
  group_ = pid_;
  Enter(ServiceState::kStarting);
  probe_ms_ = now;
}

bool Service::HasLeftovers() const { return group_ > 0 && kill(-group_, 0) == 0; }

void Service::KillLeftovers() const {
  if (group_ > 0) kill(-group_, SIGKILL);
}

void Service::GiveUp(const char* because) {
  FixedText<200> text;
  text.Add("does not start: ").Add(because).Add(" failed");
  Say(text.data());
  exit_code_ = 1;
  Enter(ServiceState::kDone);
}

void Service::StartLater(std::uint64_t now) {
  ++ends_;
  if (entry_->most_failures != 0 && failures_ >= entry_->most_failures) {
    Say("failed too often, giving up");
    Enter(ServiceState::kDone);
    return;
  }
  Enter(ServiceState::kBackoff);
  restart_ms_ = now + Backoff(ends_);
}

void Service::Ended(int wait_status, std::uint64_t now, bool stopping) {
  // What it started and left behind holds its ports and its terminal-less session.
  kill(-pid_, stopping ? SIGTERM : SIGKILL);
  pid_ = -1;
  kill_ms_ = 0;
  probe_.Stop();
  out_.Finish(now);
  err_.Finish(now);
  exit_code_ = ExitCode(wait_status);
  const bool unwell = unwell_;
  const bool renew = renew_;
  unwell_ = renew_ = false;
  if (unwell && exit_code_ == 0) exit_code_ = 1;
  if (!stopping && (hold_ || renew)) {
    Enter(hold_ ? ServiceState::kStopped : ServiceState::kWaiting);
    return;
  }
  const bool again = entry_->restart == RestartPolicy::kAlways ||
                     (entry_->restart == RestartPolicy::kOnFailure && exit_code_ != 0);
  if (stopping || !again) {
    Enter(ServiceState::kDone);
  } else {
    if (now - started_ms_ >= kHealthyMs) ends_ = failures_ = 0;
    failures_ = exit_code_ != 0 ? failures_ + 1 : 0;
    StartLater(now);
  }
  if (stopping) return;
  char how[64];
  DescribeExit(wait_status, how, sizeof how);
  FixedText<128> text;
  text.Add(how);
  if (state_ == ServiceState::kBackoff) {
    text.Add(", starting again in ").Add(restart_ms_ - now).Add(" ms");
  }
  Say(text.data());
}

void Service::Stop(std::uint64_t now) {
  if (!running() && state_ != ServiceState::kDone) Enter(ServiceState::kDone);
  End(now);
}

void Service::End(std::uint64_t now) {
  if (!running() || kill_ms_ != 0) return;
  Enter(ServiceState::kEnding);
  probe_.Stop();
  kill(pid_, entry_->stop_signal);
  kill_ms_ = now + entry_->stop_ms;
}

void Service::Hold(std::uint64_t now) {
  hold_ = true;
  renew_ = false;
  if (!running()) Enter(ServiceState::kStopped);
  End(now);
}

void Service::Renew(std::uint64_t now) {
  hold_ = false;
  ends_ = failures_ = 0;
  if (!running()) {
    Enter(ServiceState::kWaiting);
    return;
  }
  renew_ = true;
  End(now);
}

void Service::TickProbe(const ProbeEntry& entry, std::uint64_t now) {
  if (now >= probe_.due_ms()) {
    Probed(probe_.Expire(), now);
  } else if (now >= probe_ms_ && !probe_.IsBusy()) {
    SpawnPlan plan = Plan();
    plan.out = plan.err = null_fd_;
    Probed(probe_.Start(entry, plan, now), now);
  }
}

bool Service::BecomeReady(std::uint64_t now) {
  Enter(ServiceState::kReady);
  unanswered_ = 0;
  probe_ms_ = now + entry_->live.every_ms;
  return true;
}

// True when it made the service ready.
bool Service::Probed(Probe::Result result, std::uint64_t now) {
  if (result == Probe::Result::kPending) return false;
  const bool answered = result == Probe::Result::kReady;
  if (state_ == ServiceState::kStarting) {
    if (answered) return BecomeReady(now);
    const bool command = entry_->ready.kind == ProbeKind::kExec;
    probe_ms_ = now + (command ? kProbeByCommandEveryMs : kProbeEveryMs);
  } else if (state_ == ServiceState::kReady) {
    probe_ms_ = now + entry_->live.every_ms;
    if (result == Probe::Result::kUnasked) return false;
    unanswered_ = answered ? 0 : unanswered_ + 1;
    if (unanswered_ < entry_->live.most) return false;
    Say("does not answer any more, ending it");
    unwell_ = true;
    End(now);
  }
  return false;
}

bool Service::Tick(std::uint64_t now) {
  if (kill_ms_ != 0) {
    if (now >= kill_ms_) {
      Say("did not stop in time, killing it");
      kill(-pid_, SIGKILL);
      kill(pid_, SIGKILL);
      kill_ms_ = UINT64_MAX;
    }
    return false;
  }
  if (state_ == ServiceState::kBackoff && now >= restart_ms_) Start(now);
  if (state_ == ServiceState::kReady && entry_->live.kind != ProbeKind::kNone) {
    TickProbe(entry_->live, now);
  }
  // What runs to its end is ready by its end alone.
  if (state_ != ServiceState::kStarting || entry_->type != ServiceType::kService) return false;
  if (entry_->ready.kind == ProbeKind::kNone) return BecomeReady(now);
  const bool waited = now - started_ms_ >= entry_->ready_ms;
  if (entry_->ready.kind == ProbeKind::kDelay) return waited && BecomeReady(now);
  if (!told_slow_ && waited) {
    told_slow_ = true;
    Say("is not ready yet, still waiting");
  }
  TickProbe(entry_->ready, now);
  return false;
}

std::uint64_t Service::due_ms() const {
  if (kill_ms_ != 0) return kill_ms_;
  if (state_ == ServiceState::kBackoff) return restart_ms_;
  if (probe_.due_ms() != UINT64_MAX) return probe_.due_ms();
  if (probe_.IsBusy()) return UINT64_MAX;
  if (state_ == ServiceState::kReady && entry_->live.kind != ProbeKind::kNone) return probe_ms_;
  if (state_ != ServiceState::kStarting || entry_->type != ServiceType::kService) {
    return UINT64_MAX;
  }
  return entry_->ready.kind == ProbeKind::kDelay ? started_ms_ + entry_->ready_ms : probe_ms_;
}

bool Service::ContinueProbe(std::uint64_t now) { return Probed(probe_.Continue(), now); }

bool Service::ProbeEnded(int wait_status, std::uint64_t now) {
  return Probed(probe_.Ended(wait_status), now);
}

}  // namespace imgbuild::runtime
