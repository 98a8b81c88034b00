// One maker at a time, or many users and no maker, across threads and processes (flock(2)).
#pragma once

#include <filesystem>
#include <optional>

#include "layers/io/file.h"

namespace imgbuild::layers {

// Held for its life and that of processes forked meanwhile; the kernel takes it back from those
// that die. The file stays behind, empty. Whoever waited for a file that was removed meanwhile
// locks its successor: two never hold the same name, unless they share it.
class EntryLock {
 public:
  // Waits until it has the lock. Throws Error where `file` cannot be made.
  explicit EntryLock(const std::filesystem::path& file);

  // Nullopt where another one holds it, or it cannot be made.
  static std::optional<EntryLock> Try(const std::filesystem::path& file);

  // Together with others who share it. Waits while one holds it alone. Throws as above.
  static EntryLock Share(const std::filesystem::path& file);

  // Removes the file; the lock is worth nothing from then on.
  static void Remove(EntryLock lock, const std::filesystem::path& file);

 private:
  explicit EntryLock(FileDescriptor fd) : fd_(std::move(fd)) {}

  FileDescriptor fd_;
};

}  // namespace imgbuild::layers
