#include "layers/store/entry_lock.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>

namespace imgbuild::layers {

EntryLock::EntryLock(const std::filesystem::path& file)
    : fd_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (!fd_.valid()) throw FileError("lock", file, errno);
  while (flock(fd_.get(), LOCK_EX) != 0) {
    if (errno != EINTR) throw FileError("lock", file, errno);
  }
}

}  // namespace imgbuild::layers
