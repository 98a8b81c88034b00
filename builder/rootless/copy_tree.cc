#include "builder/rootless/copy_tree.h"

#include <array>
#include <cerrno>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layers/io/file.h"

namespace imgbuild::builder {
namespace {

using layers::FileDescriptor;

void CopyContent(const FileDescriptor& from, const FileDescriptor& to, const std::string& path) {
  if (::ioctl(to.get(), FICLONE, from.get()) == 0) return;
  for (;;) {
    const ssize_t count =
        ::copy_file_range(from.get(), nullptr, to.get(), nullptr, std::size_t{1} << 30, 0);
    if (count == 0) return;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
  }
  if (errno != EXDEV && errno != ENOSYS && errno != EINVAL && errno != EOPNOTSUPP) {
    throw layers::FileError("copy", path, errno);
  }
  std::array<char, 65536> buffer;
  for (;;) {
    const ssize_t count = ::read(from.get(), buffer.data(), buffer.size());
    if (count == 0) return;
    if (count < 0 || ::write(to.get(), buffer.data(), static_cast<std::size_t>(count)) != count) {
      throw layers::FileError("copy", path, errno);
    }
  }
}

void CopyFile(int from, int to, const char* name, const std::string& path) {
  const FileDescriptor reading(::openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!reading.valid()) throw layers::FileError("open", path, errno);
  const FileDescriptor writing(
      ::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!writing.valid()) throw layers::FileError("create", path, errno);
  CopyContent(reading, writing, path);
}

void CopyLink(int from, int to, const char* name, const std::string& path) {
  std::array<char, 4096> target;
  const ssize_t size = ::readlinkat(from, name, target.data(), target.size() - 1);
  if (size < 0) throw layers::FileError("read", path, errno);
  target[static_cast<std::size_t>(size)] = '\0';
  if (::symlinkat(target.data(), to, name) != 0) throw layers::FileError("create", path, errno);
}

// The owner first: giving a file away takes its set-user-id right.
void CopyAttributes(int to, const char* name, const struct stat& status) {
  [[maybe_unused]] const int given =
      ::fchownat(to, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW);
  if (!S_ISLNK(status.st_mode)) ::fchmodat(to, name, status.st_mode & 07777, 0);
  const timespec times[2] = {status.st_atim, status.st_mtim};
  ::utimensat(to, name, times, AT_SYMLINK_NOFOLLOW);
}

void CopyBelow(FileDescriptor from, int to, const std::string& path);

void CopyEntry(int from, int to, const char* name, const std::string& path) {
  struct stat status {};
  if (::fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    throw layers::FileError("look at", path, errno);
  }
  if (S_ISDIR(status.st_mode)) {
    if (::mkdirat(to, name, 0700) != 0) throw layers::FileError("create", path, errno);
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    const FileDescriptor inner(::openat(to, name, kFlags));
    CopyBelow(FileDescriptor(::openat(from, name, kFlags)), inner.get(), path);
  } else if (S_ISREG(status.st_mode)) {
    CopyFile(from, to, name, path);
  } else if (S_ISLNK(status.st_mode)) {
    CopyLink(from, to, name, path);
  } else {
    return;
  }
  CopyAttributes(to, name, status);
}

void CopyBelow(FileDescriptor from, int to, const std::string& path) {
  if (!from.valid()) throw layers::FileError("open", path, errno);
  struct Close {
    DIR* stream;
    ~Close() { ::closedir(stream); }
  } folder{::fdopendir(from.get())};
  if (folder.stream == nullptr) throw layers::FileError("read", path, errno);
  from.Release();
  while (const dirent* entry = ::readdir(folder.stream)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    CopyEntry(::dirfd(folder.stream), to, entry->d_name, path + "/" + std::string(name));
  }
}

}  // namespace

void CopyTree(const std::string& from, const std::string& to) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  const FileDescriptor target(::open(to.c_str(), kFlags));
  if (!target.valid()) throw layers::FileError("open", to, errno);
  struct stat status {};
  if (::stat(from.c_str(), &status) != 0) throw layers::FileError("look at", from, errno);
  CopyBelow(FileDescriptor(::open(from.c_str(), kFlags)), target.get(), from);
  CopyAttributes(AT_FDCWD, to.c_str(), status);
}

}  // namespace imgbuild::builder
