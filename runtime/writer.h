// A descriptor that others share, written without ever waiting for its reader.
#pragma once

#include <cstddef>
#include <cstdint>

#include <sys/types.h>

namespace imgbuild::runtime {

// O_NONBLOCK belongs to an open file description, and that of descriptors 1 and 2 is shared with
// whoever started us, so it is not ours to set. poll() alone does not help: it calls a terminal
// writable that has room for one byte, where write() waits until there is room for all. So the
// terminal or pipe behind the descriptor is opened once more, as a description of our own; where
// that is not allowed, a timer interrupts a write to a terminal that waits.
class Writer {
 public:
  explicit Writer(int fd) : fd_(fd), shared_(fd) {}

  // Finds the way to write. Until then, descriptors are written as they are.
  void Open();
  // What to poll for POLLOUT, which is necessary for a write, but not enough.
  int fd() const { return fd_; }
  // As write(2) of at most PIPE_BUF bytes after POLLOUT. EAGAIN: no room, try again a little later;
  // polling at once would report the same room.
  ssize_t Write(const char* text, std::size_t size);

 private:
  enum class Way : std::uint8_t {
    kPlain,   // files, which never wait, and pipes by the rule of PIPE_BUF
    kOwn,     // a description of our own
    kSocket,  // send() has a flag for it
    kTimed,
  };

  bool OpenAnew();

  int fd_;
  int shared_;
  Way way_ = Way::kPlain;
};

}  // namespace imgbuild::runtime
