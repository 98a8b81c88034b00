// One maker at a time, across threads and processes (flock(2)).
#pragma once

#include <filesystem>

#include "layers/io/file.h"

namespace imgbuild::layers {

// Waits until it has the lock and holds it for its life; the kernel takes it back from a process
// that dies. The file stays behind, empty.
class EntryLock {
 public:
  explicit EntryLock(const std::filesystem::path& file);

 private:
  FileDescriptor fd_;
};

}  // namespace imgbuild::layers
