#include "runtime/passwd.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

namespace imgbuild::runtime {
namespace {

constexpr std::size_t kMostText = 64 * 1024;
char text[kMostText];

bool ReadText(const char* file) {
  const int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  std::size_t size = 0;
  while (size < kMostText - 1) {
    const ssize_t got = read(fd, text + size, kMostText - 1 - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  close(fd);
  text[size] = '\0';
  return true;
}

// name:password:uid:gid:gecos:home:shell
template <typename Matches>
bool Find(const char* file, PasswdEntry& entry, const Matches& matches) {
  if (!ReadText(file)) return false;
  char* rest = text;
  while (char* line = strsep(&rest, "\n")) {
    const char* fields[7] = {};
    for (const char*& field : fields) field = strsep(&line, ":");
    if (fields[5] == nullptr) continue;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    if (!ParseId(fields[2], uid) || !ParseId(fields[3], gid) || !matches(fields[0], uid)) continue;
    entry = PasswdEntry();
    entry.name.Add(fields[0]);
    entry.uid = uid;
    entry.gid = gid;
    entry.home.Add(fields[5]);
    return true;
  }
  return false;
}

}  // namespace

bool ParseId(const char* digits, std::uint32_t& id) {
  if (*digits == '\0') return false;
  std::uint64_t value = 0;
  for (; *digits != '\0'; ++digits) {
    if (*digits < '0' || *digits > '9') return false;
    value = value * 10 + static_cast<std::uint64_t>(*digits - '0');
    if (value > UINT32_MAX) return false;
  }
  id = static_cast<std::uint32_t>(value);
  return true;
}

bool FindUser(const char* file, uid_t uid, PasswdEntry& entry) {
  return Find(file, entry, [uid](const char*, uid_t other) { return uid == other; });
}

bool FindUser(const char* file, const char* name, PasswdEntry& entry) {
  return Find(file, entry, [name](const char* other, uid_t) { return strcmp(name, other) == 0; });
}

}  // namespace imgbuild::runtime
