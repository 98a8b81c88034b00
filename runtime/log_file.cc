#include "runtime/log_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

namespace imgbuild::runtime {

void LogFile::Open(const char* path) {
  path_.Clear();
  path_.Add(path);
  OpenFile();
}

void LogFile::OpenFile() {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  fd_ = open(path_.data(), kFlags, 0600);
  struct stat status {};
  size_ = fd_ >= 0 && fstat(fd_, &status) == 0 ? static_cast<std::size_t>(status.st_size) : 0;
}

void LogFile::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void LogFile::Add(const char* lines, std::size_t size) {
  if (size == 0) return;
  if (size_ + size > kMost) {
    Close();
    FixedText<302> old;
    old.Add(path_.data()).Add(".1");
    rename(path_.data(), old.data());
    OpenFile();
  }
  if (fd_ < 0) return;
  const ssize_t written = write(fd_, lines, size);
  if (written > 0) size_ += static_cast<std::size_t>(written);
}

}  // namespace imgbuild::runtime
