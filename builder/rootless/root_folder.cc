#include "builder/rootless/root_folder.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "layers/tree/path.h"

namespace imgbuild::builder {
namespace {

constexpr std::size_t kMostRead = 1u << 20;

}  // namespace

RootFolder::RootFolder(std::filesystem::path path) : path_(std::move(path)) {
  fd_ = layers::FileDescriptor(::open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd_.valid()) throw layers::FileError("open", path_, errno);
}

layers::FileDescriptor RootFolder::Open(const std::string& path, int flags, unsigned mode) const {
  struct open_how how {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const long fd =
        ::syscall(SYS_openat2, fd_.get(), path.empty() ? "." : path.c_str(), &how, sizeof(how));
    if (fd >= 0) return layers::FileDescriptor(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) return {};  // EAGAIN: something was renamed meanwhile
  }
}

layers::FileDescriptor RootFolder::Find(const std::string& path) const {
  return Open(path, O_PATH, 0);
}

layers::FileDescriptor RootFolder::MakeFolder(const std::string& path) const {
  layers::FileDescriptor found = Open(path, O_PATH | O_DIRECTORY, 0);
  if (found.valid()) return found;
  if (errno != ENOENT || path.empty()) throw layers::FileError("open", path_ / path, errno);
  const std::string parent(layers::ParentPath(path));
  const layers::FileDescriptor above = MakeFolder(parent);
  const std::string name = path.substr(parent.empty() ? 0 : parent.size() + 1);
  if (::mkdirat(above.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
    throw layers::FileError("create", path_ / path, errno);
  }
  found = Open(path, O_PATH | O_DIRECTORY, 0);
  if (!found.valid()) throw layers::FileError("open", path_ / path, errno);
  return found;
}

layers::FileDescriptor RootFolder::MakeFile(const std::string& path) const {
  layers::FileDescriptor found = Find(path);
  if (found.valid()) return found;
  MakeFolder(std::string(layers::ParentPath(path)));
  found = Open(path, O_WRONLY | O_CREAT, 0644);
  if (!found.valid()) throw layers::FileError("create", path_ / path, errno);
  return found;
}

std::string RootFolder::Read(const std::string& path) const {
  const layers::FileDescriptor file = Open(path, O_RDONLY | O_NONBLOCK, 0);
  struct stat status {};
  if (!file.valid() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return "";
  if (status.st_size < 0 || static_cast<std::size_t>(status.st_size) > kMostRead) return "";
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + have, text.size() - have);
    if (count <= 0) break;
    have += static_cast<std::size_t>(count);
  }
  text.resize(have);
  return text;
}

void RootFolder::Overwrite(const std::string& path, std::string_view content) const {
  const layers::FileDescriptor file = Open(path, O_WRONLY | O_TRUNC | O_NONBLOCK, 0);
  if (!file.valid()) throw layers::FileError("open", path_ / path, errno);
  while (!content.empty()) {
    const ssize_t count = ::write(file.get(), content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw layers::FileError("write", path_ / path, errno);
    content.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string PathOf(const layers::FileDescriptor& fd) {
  return fmt::format("/proc/self/fd/{}", fd.get());
}

}  // namespace imgbuild::builder
