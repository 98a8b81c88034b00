#include "runtime/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/text.h"

namespace imgbuild::runtime {

Probe::Result Probe::Start(const ProbeEntry& entry, SpawnPlan plan, std::uint64_t now) {
  if (IsBusy()) return Result::kPending;
  entry_ = &entry;
  Result result = Result::kPending;
  if (entry.kind == ProbeKind::kExec) {
    plan.argv = entry.command.argv;
    pid_ = Spawn(plan);
    if (pid_ < 0) result = Result::kUnasked;
  } else {
    result = Connect();
  }
  given_up_ = false;
  due_ms_ = result == Result::kPending ? now + entry.timeout_ms : UINT64_MAX;
  return result;
}

Probe::Result Probe::Connect() {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return Result::kUnasked;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(entry_->port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 ||
      errno == EINPROGRESS) {
    return Result::kPending;
  }
  Stop();
  return Result::kFailed;
}

void Probe::Stop() {
  due_ms_ = UINT64_MAX;
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  connected_ = false;
  size_ = 0;
  if (pid_ <= 0) return;
  given_up_ = true;
  kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);
}

Probe::Result Probe::Expire() {
  const bool process = pid_ > 0;
  Stop();
  if (!process) return Result::kFailed;
  given_up_ = false;  // its end counts as a failure
  return Result::kPending;
}

Probe::Result Probe::Ended(int wait_status) {
  // What it started and left behind.
  kill(-pid_, SIGKILL);
  pid_ = -1;
  due_ms_ = UINT64_MAX;
  if (given_up_) return Result::kPending;
  return ExitCode(wait_status) == 0 ? Result::kReady : Result::kFailed;
}

short Probe::events() const { return connected_ ? POLLIN : POLLOUT; }

Probe::Result Probe::Continue() {
  const Result result = connected_ ? ReadAnswer() : SendRequest();
  if (result != Result::kPending) Stop();
  return result;
}

Probe::Result Probe::SendRequest() {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
    return Result::kFailed;
  }
  if (entry_->kind == ProbeKind::kTcp) return Result::kReady;
  FixedText<1024> request;
  request.Add("GET ").Add(entry_->path).Add(" HTTP/1.1\r\nHost: 127.0.0.1:").Add(entry_->port);
  request.Add("\r\nUser-Agent: imgbuild-init\r\nConnection: close\r\n\r\n");
  if (send(fd_, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    return Result::kFailed;
  }
  connected_ = true;
  return Result::kPending;
}

Probe::Result Probe::ReadAnswer() {
  // "HTTP/1.1 200": twelve bytes say it all.
  constexpr std::uint32_t kEnough = 12;
  ssize_t got = recv(fd_, answer_ + size_, kEnough - size_, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Result::kPending;
  if (got <= 0) return Result::kFailed;
  size_ += static_cast<std::uint32_t>(got);
  if (size_ < kEnough) return Result::kPending;
  if (memcmp(answer_, "HTTP/1.", 7) != 0) return Result::kFailed;
  return answer_[9] >= '1' && answer_[9] < '5' ? Result::kReady : Result::kFailed;
}

}  // namespace imgbuild::runtime
