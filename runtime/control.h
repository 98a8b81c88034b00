// How others in the container talk to the supervisor: a socket that takes one line and gives text.
//
//   status | status json          all services
//   restart NAME | stop NAME | start NAME
//   logs NAME                     the last lines that the service wrote
//   ready [NAME] | live [NAME]    "ok", or what is not
//   reload                        reads the table again
//
// An answer begins with "ok\n" or "no\n". Who asks must be root or the supervisor's own user
// (SO_PEERCRED); others are hung up on. Nothing here blocks or allocates: a client that neither
// asks nor reads loses its place after a while. Where descriptors are used up there is one in
// reserve, so that one client at a time is answered.
#pragma once

#include <cstddef>
#include <cstdint>

#include <poll.h>

#include "runtime/text.h"

namespace imgbuild::runtime {

inline constexpr std::size_t kMaxRequest = 200;
inline constexpr std::size_t kMaxReply = 48 * 1024;
using Reply = FixedText<kMaxReply>;

// The places of the socket, the first that can be had: what the environment says, else these.
inline constexpr char kControlVariable[] = "IMGBUILD_CONTROL";
inline constexpr const char* kControlPaths[] = {
    "/run/imgbuild-init.sock", "/tmp/imgbuild-init.sock", "/dev/shm/imgbuild-init.sock"};

// Who answers.
class ControlHandler {
 public:
  virtual void Answer(char* request, Reply& reply) = 0;

 protected:
  ~ControlHandler() = default;
};

class Control {
 public:
  static constexpr std::size_t kClients = 4;
  static constexpr std::size_t kDescriptors = kClients + 1;

  // Without a place for it there is no control, and nothing else changes.
  void Open();
  void Close();

  // Fills `polled` with kDescriptors entries.
  void Prepare(pollfd* polled, std::uint64_t now) const;
  // After poll() filled them.
  void Handle(const pollfd* polled, std::uint64_t now, ControlHandler& handler);
  // When a client's time is over next, or clients are accepted again; UINT64_MAX: no time.
  std::uint64_t due_ms(std::uint64_t now) const;
  void Tick(std::uint64_t now);

 private:
  struct Client {
    int fd = -1;
    std::uint64_t until_ms = 0;
    std::size_t size = 0;  // of the request so far
    bool answering = false;
    std::size_t sent = 0;
    char request[kMaxRequest + 1] = {};
    Reply reply;
  };

  void Accept(std::uint64_t now);
  int AcceptOne();
  void Continue(Client& client, ControlHandler& handler);
  void HangUp(Client& client);

  int fd_ = -1;
  int reserve_ = -1;             // closed for a client where there is no other descriptor
  std::uint64_t accept_ms_ = 0;  // not before: nothing could be had
  const char* path_ = nullptr;
  Client clients_[kClients];
};

}  // namespace imgbuild::runtime
