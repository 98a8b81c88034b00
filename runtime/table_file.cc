#include "runtime/table_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

namespace imgbuild::runtime {

bool TableFile::Read(const char* path, FixedText<300>& why) {
  table_.shell = Command();
  table_.size = 0;
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return true;
    why.Add(path).Add(": ").Add(strerror(errno));
    return false;
  }
  std::size_t size = 0;
  ssize_t got = 0;
  while (size < kMaxTable && (got = read(fd, text_ + size, kMaxTable - size)) > 0) {
    size += static_cast<std::size_t>(got);
  }
  const int error = errno;
  close(fd);
  if (got < 0 || size == kMaxTable) {
    why.Add(path).Add(": ").Add(got < 0 ? strerror(error) : "too large");
    return false;
  }
  text_[size] = '\0';
  const TableError wrong = ParseServiceTable(text_, size, table_);
  if (wrong.reason == nullptr) return true;
  why.Add(path).Add(": line ").Add(wrong.line).Add(": ").Add(wrong.reason);
  return false;
}

}  // namespace imgbuild::runtime
