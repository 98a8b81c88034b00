#include "runtime/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace imgbuild::runtime {
namespace {

constexpr std::uint64_t kPatienceMs = 2'000;
constexpr std::uint64_t kRetryMs = 100;

bool FillAddress(const char* path, sockaddr_un& address) {
  address = {};
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) return false;
  memcpy(address.sun_path, path, strlen(path) + 1);
  return true;
}

int Listen(const char* path) {
  sockaddr_un address;
  if (!FillAddress(path, address)) return -1;
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  // What an earlier run of this container left; in a sticky folder others' files stay.
  unlink(path);
  const mode_t before = umask(0177);
  const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  umask(before);
  if (bound && listen(fd, static_cast<int>(Control::kClients)) == 0) return fd;
  close(fd);
  return -1;
}

bool MayAsk(int fd) {
  ucred who{};
  socklen_t size = sizeof who;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return false;
  return who.uid == 0 || who.uid == geteuid();
}

int OpenReserve() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

void Control::Open() {
  reserve_ = OpenReserve();
  const char* given = getenv(kControlVariable);
  if (given != nullptr && *given != '\0') {
    fd_ = Listen(given);
    path_ = given;
    return;
  }
  for (const char* path : kControlPaths) {
    fd_ = Listen(path);
    path_ = path;
    if (fd_ >= 0) return;
  }
}

void Control::Close() {
  if (fd_ < 0) return;
  close(fd_);
  fd_ = -1;
  unlink(path_);
}

void Control::Prepare(pollfd* polled, std::uint64_t now) const {
  bool room = false;
  for (std::size_t i = 0; i < kClients; ++i) {
    const Client& client = clients_[i];
    room = room || client.fd < 0;
    polled[1 + i] = {client.fd, static_cast<short>(client.answering ? POLLOUT : POLLIN), 0};
  }
  polled[0] = {room && now >= accept_ms_ ? fd_ : -1, POLLIN, 0};
}

void Control::Handle(const pollfd* polled, std::uint64_t now, ControlHandler& handler) {
  for (std::size_t i = 0; i < kClients; ++i) {
    if (clients_[i].fd >= 0 && polled[1 + i].revents != 0) Continue(clients_[i], handler);
  }
  if (polled[0].revents != 0) Accept(now);
}

int Control::AcceptOne() {
  constexpr int kFlags = SOCK_CLOEXEC | SOCK_NONBLOCK;
  const int client = accept4(fd_, nullptr, nullptr, kFlags);
  if (client >= 0 || reserve_ < 0 || (errno != EMFILE && errno != ENFILE)) return client;
  close(reserve_);
  reserve_ = -1;
  return accept4(fd_, nullptr, nullptr, kFlags);
}

void Control::Accept(std::uint64_t now) {
  for (Client& client : clients_) {
    if (client.fd >= 0) continue;
    client.fd = AcceptOne();
    if (client.fd < 0) {
      // It may wait in the queue on and on; polling again at once would do nothing else.
      accept_ms_ = now + kRetryMs;
      return;
    }
    client.until_ms = now + kPatienceMs;
    client.size = client.sent = 0;
    client.answering = false;
    client.reply.Clear();
    if (!MayAsk(client.fd)) HangUp(client);
    return;
  }
}

void Control::Continue(Client& client, ControlHandler& handler) {
  if (!client.answering) {
    const ssize_t got = read(client.fd, client.request + client.size, kMaxRequest - client.size);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return HangUp(client);
    client.size += static_cast<std::size_t>(got);
    client.request[client.size] = '\0';
    char* end = strchr(client.request, '\n');
    if (end == nullptr) {
      if (client.size == kMaxRequest) HangUp(client);
      return;
    }
    *end = '\0';
    handler.Answer(client.request, client.reply);
    client.answering = true;
  }
  const ssize_t put = send(client.fd, client.reply.data() + client.sent,
                           client.reply.size() - client.sent, MSG_NOSIGNAL);
  if (put < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (put > 0) client.sent += static_cast<std::size_t>(put);
  if (put <= 0 || client.sent == client.reply.size()) HangUp(client);
}

void Control::HangUp(Client& client) {
  close(client.fd);
  client.fd = -1;
  if (reserve_ < 0) reserve_ = OpenReserve();
}

std::uint64_t Control::due_ms(std::uint64_t now) const {
  std::uint64_t due = now < accept_ms_ ? accept_ms_ : UINT64_MAX;
  for (const Client& client : clients_) {
    if (client.fd >= 0 && client.until_ms < due) due = client.until_ms;
  }
  return due;
}

void Control::Tick(std::uint64_t now) {
  for (Client& client : clients_) {
    if (client.fd >= 0 && now >= client.until_ms) HangUp(client);
  }
}

}  // namespace imgbuild::runtime
