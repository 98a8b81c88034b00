// One maker at a time, across threads and processes (flock(2)).
#pragma once

#include <filesystem>
#include <optional>

#include "layers/io/file.h"

namespace imgbuild::layers {

// Held for its life; the kernel takes it back from a process that dies. The file stays behind,
// empty. Whoever waited for a file that was removed meanwhile locks its successor: two never hold
// the same name.
class EntryLock {
 public:
  // Waits until it has the lock. Throws Error where `file` cannot be made.
  explicit EntryLock(const std::filesystem::path& file);

  // Nullopt where another one holds it, or it cannot be made.
  static std::optional<EntryLock> Try(const std::filesystem::path& file);

  // Removes the file; the lock is worth nothing from then on.
  static void Remove(EntryLock lock, const std::filesystem::path& file);

 private:
  explicit EntryLock(FileDescriptor fd) : fd_(std::move(fd)) {}

  FileDescriptor fd_;
};

}  // namespace imgbuild::layers
