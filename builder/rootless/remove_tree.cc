#include "builder/rootless/remove_tree.h"

#include <cerrno>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace imgbuild::builder {

bool RemoveAt(int folder, const std::string& name) {
  if (::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return true;
  if (errno != EISDIR && errno != EPERM) return false;
  if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0) return true;
  const int inner = ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (inner < 0) return false;
  DIR* stream = ::fdopendir(inner);
  if (stream == nullptr) {
    ::close(inner);
    return false;
  }
  while (const dirent* entry = ::readdir(stream)) {
    const std::string_view child = entry->d_name;
    if (child != "." && child != "..") RemoveAt(::dirfd(stream), std::string(child));
  }
  ::closedir(stream);
  return ::unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0;
}

}  // namespace imgbuild::builder
