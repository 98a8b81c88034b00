#include "runtime/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/text.h"

namespace imgbuild::runtime {

void Probe::Start(const ServiceEntry& service) {
  Stop();
  service_ = &service;
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(service.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS) {
    Stop();
  }
}

void Probe::Stop() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  connected_ = false;
  size_ = 0;
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
  if (service_->probe == ProbeKind::kTcp) return Result::kReady;
  FixedText<1024> request;
  request.Add("GET ").Add(service_->path).Add(" HTTP/1.1\r\nHost: 127.0.0.1:").Add(service_->port);
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
