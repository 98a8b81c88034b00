// A pipe whose ends close themselves.
#pragma once

#include "layers/io/file.h"

namespace imgbuild::layers {

// Both ends are closed in what this process becomes (O_CLOEXEC). Throws Error where there are too
// many open files.
struct Pipe {
  Pipe();

  FileDescriptor reading;
  FileDescriptor writing;
};

}  // namespace imgbuild::layers
