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

namespace imgbuild::runtime {
namespace {

constexpr std::uint64_t kProbeEveryMs = 50;
constexpr std::uint64_t kProbeGiveUpMs = 2'000;
constexpr std::uint64_t kFirstBackoffMs = 250;
constexpr std::uint64_t kLongestBackoffMs = 30'000;
constexpr std::uint64_t kHealthyMs = 10'000;  // an uptime that forgets earlier failures
constexpr std::uint32_t kMostFailures = 10;

bool OpenPipe(int& read_end, int& write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  read_end = ends[0];
  write_end = ends[1];
  return true;
}

std::uint64_t Backoff(std::uint32_t failures) {
  std::uint64_t wait = kFirstBackoffMs;
  for (std::uint32_t i = 1; i < failures && wait < kLongestBackoffMs; ++i) wait *= 2;
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

bool Service::Open(const ServiceEntry& entry, Output* out, Output* err, const char* log_file) {
  entry_ = &entry;
  console_ = err;
  changed_ms_ = NowMs();
  MakeToken();
  if (log_file != nullptr) {
    out_fd_ = open(log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (out_fd_ < 0) out_fd_ = open("/dev/null", O_WRONLY | O_CLOEXEC);
    err_fd_ = out_fd_;
    return out_fd_ >= 0;
  }
  int out_read = -1;
  int err_read = -1;
  if (!OpenPipe(out_read, out_fd_) || !OpenPipe(err_read, err_fd_)) return false;
  out_.Open(out_read, entry.name, out, &tail_);
  err_.Open(err_read, entry.name, err, &tail_);
  return true;
}

void Service::MakeToken() {
  if (entry_->token == nullptr) return;
  const char* given = getenv(entry_->token);
  if (given != nullptr && *given != '\0') return;
  FixedText<128> in_file;  // the service reads it itself
  const char* file = getenv(in_file.Add(entry_->token).Add("_FILE").data());
  if (file != nullptr && *file != '\0') return;
  unsigned char random[24];
  if (getrandom(random, sizeof random, 0) != sizeof random) return;
  token_variable_.Add(entry_->token).Add("=");
  const std::size_t prefix = token_variable_.size();
  for (unsigned char byte : random) {
    const char digits[2] = {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
    token_variable_.Add(digits, 2);
  }
  token_ = token_variable_.data() + prefix;
}

void Service::Say(const char* text) {
  FixedText<512> line;
  line.Add("imgbuild-init: ").Add(entry_->name).Add(" ").Add(text).Add("\n");
  console_->Add(line.data(), line.size());
}

void Service::Start(std::uint64_t now) {
  const char* env[kMaxEnvironment + 1];
  std::size_t env_size = 0;
  while (env_size < entry_->env_size) {
    env[env_size] = entry_->env[env_size];
    ++env_size;
  }
  if (token_ != nullptr) env[env_size++] = token_variable_.data();
  pid_ = Spawn({.argv = entry_->command.argv,
                .dir = entry_->dir,
                .env = env,
                .env_size = env_size,
                .out = out_fd_,
                .err = err_fd_,
                .service = true});
  started_ms_ = now;
  told_slow_ = false;
  ++starts_;
  if (pid_ < 0) {
    FixedText<256> text;
    text.Add("cannot be started: ").Add(strerror(errno));
    Say(text.data());
    exit_code_ = 125;
    Fail(now);
    return;
  }
  Enter(ServiceState::kStarting);
  probe_ms_ = now;
}

void Service::Fail(std::uint64_t now) {
  ++failures_;
  if (failures_ >= kMostFailures) {
    Say("failed too often, giving up");
    Enter(ServiceState::kDone);
    return;
  }
  Enter(ServiceState::kBackoff);
  restart_ms_ = now + Backoff(failures_);
}

void Service::Ended(int wait_status, std::uint64_t now, bool stopping) {
  // What it started and left behind holds its ports and its terminal-less session.
  kill(-pid_, stopping ? SIGTERM : SIGKILL);
  pid_ = -1;
  kill_ms_ = 0;
  probe_.Stop();
  out_.Read();
  err_.Read();
  out_.FinishLine();
  err_.FinishLine();
  exit_code_ = ExitCode(wait_status);
  const bool again = entry_->restart == RestartPolicy::kAlways ||
                     (entry_->restart == RestartPolicy::kOnFailure && exit_code_ != 0);
  const bool renew = renew_;
  renew_ = false;
  if (!stopping && (hold_ || renew)) {
    Enter(hold_ ? ServiceState::kStopped : ServiceState::kWaiting);
    return;
  }
  if (stopping || !again) {
    Enter(ServiceState::kDone);
  } else {
    if (now - started_ms_ >= kHealthyMs) failures_ = 0;
    Fail(now);
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
  failures_ = 0;
  if (!running()) {
    Enter(ServiceState::kWaiting);
    return;
  }
  renew_ = true;
  End(now);
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
  if (state_ != ServiceState::kStarting) return false;
  if (entry_->probe == ProbeKind::kNone) {
    Enter(ServiceState::kReady);
    return true;
  }
  if (!told_slow_ && now - started_ms_ >= entry_->ready_ms) {
    told_slow_ = true;
    Say("is not ready yet, still waiting");
  }
  if (now >= probe_ms_) {
    probe_.Start(*entry_);
    probe_ms_ = now + (probe_.fd() >= 0 ? kProbeGiveUpMs : kProbeEveryMs);
  }
  return false;
}

std::uint64_t Service::due_ms() const {
  if (kill_ms_ != 0) return kill_ms_;
  if (state_ == ServiceState::kBackoff) return restart_ms_;
  if (state_ == ServiceState::kStarting) return probe_ms_;
  return UINT64_MAX;
}

bool Service::ContinueProbe(std::uint64_t now) {
  switch (probe_.Continue()) {
    case Probe::Result::kPending:
      return false;
    case Probe::Result::kFailed:
      probe_ms_ = now + kProbeEveryMs;
      return false;
    case Probe::Result::kReady:
      if (state_ != ServiceState::kStarting) return false;
      Enter(ServiceState::kReady);
      return true;
  }
  return false;
}

namespace {

bool StartsWith(const char* text, const char* start) {
  return strncmp(text, start, strlen(start)) == 0;
}

// "8888": or what IMGBUILD_PORT_8888 says, a number too.
const char* PortOutside(const char* digits, std::size_t size) {
  FixedText<64> name;
  name.Add("IMGBUILD_PORT_").Add(digits, size);
  const char* value = name.cut() ? nullptr : getenv(name.data());
  if (value == nullptr || *value == '\0') return nullptr;
  return value[strspn(value, "0123456789")] == '\0' ? value : nullptr;
}

}  // namespace

void Service::Announce(Output& output) const {
  if (entry_->announce == nullptr) return;
  constexpr char kToken[] = "{token}";
  constexpr char kPort[] = "{port ";
  FixedText<1024> line;
  for (const char* text = entry_->announce; *text != '\0';) {
    if (StartsWith(text, kToken)) {
      if (token_ != nullptr) line.Add("?token=").Add(token_);
      text += sizeof(kToken) - 1;
      continue;
    }
    const char* digits = text + sizeof(kPort) - 1;
    const std::size_t size = StartsWith(text, kPort) ? strspn(digits, "0123456789") : 0;
    if (size > 0 && digits[size] == '}') {
      const char* outside = PortOutside(digits, size);
      if (outside != nullptr) {
        line.Add(outside);
      } else {
        line.Add(digits, size);
      }
      text = digits + size + 1;
      continue;
    }
    line.Add(text++, 1);
  }
  line.Add("\n");
  output.Add(line.data(), line.size());
}

}  // namespace imgbuild::runtime
