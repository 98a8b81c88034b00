#include "runtime/client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/control.h"
#include "runtime/text.h"

namespace imgbuild::runtime {
namespace {

constexpr int kAnswerMs = 10'000;
constexpr const char* kVerbs[] = {"status", "restart", "stop", "start", "logs", "health", "reload"};

constexpr char kUsage[] =
    "imgbuild-init: usage: status [--json] | restart NAME | stop NAME | start NAME | logs NAME |\n"
    "                      health --ready|--live [NAME] | reload\n";

void Print(int fd, const char* text, std::size_t size) {
  while (size > 0) {
    const ssize_t put = write(fd, text, size);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    text += put;
    size -= static_cast<std::size_t>(put);
  }
}

int Complain(const char* text) {
  FixedText<200> line;
  line.Add("imgbuild-init: ").Add(text).Add("\n");
  Print(2, line.data(), line.size());
  return 125;
}

// Anybody may make a socket in /tmp.
bool IsOurs(int fd) {
  ucred who{};
  socklen_t size = sizeof who;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return false;
  return who.uid == 0 || who.uid == geteuid() || geteuid() == 0;
}

int Connect(const char* path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) return -1;
  memcpy(address.sun_path, path, strlen(path) + 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && IsOurs(fd)) {
    return fd;
  }
  close(fd);
  return -1;
}

int ConnectAny() {
  const char* given = getenv(kControlVariable);
  if (given != nullptr && *given != '\0') return Connect(given);
  for (const char* path : kControlPaths) {
    const int fd = Connect(path);
    if (fd >= 0) return fd;
  }
  return -1;
}

// The request of these arguments; false where they are none.
bool MakeRequest(int argc, char** argv, FixedText<kMaxRequest>& request) {
  const char* verb = argv[1];
  if (Is(verb, "status")) {
    if (argc > 3 || (argc == 3 && !Is(argv[2], "--json"))) return false;
    request.Add(argc == 3 ? "status json" : "status");
  } else if (Is(verb, "health")) {
    const bool ready = argc > 2 && Is(argv[2], "--ready");
    if (argc < 3 || argc > 4 || (!ready && !Is(argv[2], "--live"))) return false;
    request.Add(ready ? "ready" : "live");
    if (argc == 4) request.Add(" ").Add(argv[3]);
  } else if (Is(verb, "reload")) {
    if (argc != 2) return false;
    request.Add(verb);
  } else {
    if (argc != 3) return false;
    request.Add(verb).Add(" ").Add(argv[2]);
  }
  if (strchr(request.data(), '\n') != nullptr) return false;
  request.Add("\n");
  return !request.cut();
}

}  // namespace

bool IsControlVerb(int argc, char** argv) {
  if (argc < 2 || getpid() == 1) return false;
  for (const char* verb : kVerbs) {
    if (Is(argv[1], verb)) return true;
  }
  return false;
}

int RunControlVerb(int argc, char** argv) {
  FixedText<kMaxRequest> request;
  if (!MakeRequest(argc, argv, request)) {
    Print(2, kUsage, sizeof kUsage - 1);
    return 2;
  }
  const int fd = ConnectAny();
  if (fd < 0) return Complain("no supervisor answers here");
  Print(fd, request.data(), request.size());
  static char answer[kMaxReply];
  std::size_t size = 0;
  while (size < sizeof answer) {
    pollfd waiter{fd, POLLIN, 0};
    if (poll(&waiter, 1, kAnswerMs) <= 0) break;
    const ssize_t got = read(fd, answer + size, sizeof answer - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  close(fd);
  if (size < 3) return Complain("the supervisor does not answer");
  const bool yes = memcmp(answer, "ok\n", 3) == 0;
  Print(yes ? 1 : 2, answer + 3, size - 3);
  return yes ? 0 : 1;
}

}  // namespace imgbuild::runtime
