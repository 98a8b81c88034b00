#include "layers/io/pipe.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include "specs/base/error.h"

namespace imgbuild::layers {

Pipe::Pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw specs::Error("cannot create a pipe").Found(std::strerror(errno));
  }
  reading = FileDescriptor(ends[0]);
  writing = FileDescriptor(ends[1]);
}

}  // namespace imgbuild::layers
