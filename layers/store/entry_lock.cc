#include "layers/store/entry_lock.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

// Whether `file` is still the name of what `fd` has open.
bool IsNamed(const FileDescriptor& fd, const fs::path& file) {
  struct stat open_file {};
  struct stat named {};
  return fstat(fd.get(), &open_file) == 0 && stat(file.c_str(), &named) == 0 &&
         open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

// Invalid, with errno, where that is not possible.
FileDescriptor LockFile(const fs::path& file, int operation) {
  for (;;) {
    FileDescriptor fd(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!fd.valid()) return fd;
    while (flock(fd.get(), operation) != 0) {
      if (errno == EINTR) continue;
      const int reason = errno;
      fd.Reset();
      errno = reason;
      return fd;
    }
    if (IsNamed(fd, file)) return fd;
  }
}

}  // namespace

EntryLock::EntryLock(const fs::path& file) : fd_(LockFile(file, LOCK_EX)) {
  if (!fd_.valid()) throw FileError("lock", file, errno);
}

std::optional<EntryLock> EntryLock::Try(const fs::path& file) {
  FileDescriptor fd = LockFile(file, LOCK_EX | LOCK_NB);
  if (!fd.valid()) return std::nullopt;
  return EntryLock(std::move(fd));
}

EntryLock EntryLock::Share(const fs::path& file) {
  FileDescriptor fd = LockFile(file, LOCK_SH);
  if (!fd.valid()) throw FileError("lock", file, errno);
  return EntryLock(std::move(fd));
}

void EntryLock::Remove(EntryLock, const fs::path& file) { unlink(file.c_str()); }

}  // namespace imgbuild::layers
