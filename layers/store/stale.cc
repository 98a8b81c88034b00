#include "layers/store/stale.h"

#include <cerrno>
#include <chrono>
#include <fstream>
#include <optional>

#include <fcntl.h>
#include <sys/file.h>

#include "layers/store/cache_folder.h"
#include "layers/store/entry_lock.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;

constexpr hours kTemporaryAge(24);
constexpr hours kPartialAge(14 * 24);
constexpr hours kLockAge(24);
constexpr hours kInterval(24);

// Since it was last written; negative where the clock was put back. Nullopt where it is gone.
std::optional<fs::file_time_type::duration> AgeOf(const fs::path& path) {
  std::error_code error;
  const fs::file_time_type written = fs::last_write_time(path, error);
  if (error) return std::nullopt;
  return fs::file_time_type::clock::now() - written;
}

bool IsOlder(const fs::path& path, hours age) {
  const auto found = AgeOf(path);
  return found && *found > age;
}

// Whether it is time again; says then that it was done.
bool IsDue(const fs::path& stamp) {
  const auto age = AgeOf(stamp);
  if (age && *age >= hours(0) && *age <= kInterval) return false;
  if (!std::ofstream(stamp, std::ios::app)) return false;
  std::error_code error;
  fs::last_write_time(stamp, fs::file_time_type::clock::now(), error);
  return !error;
}

enum class Others { kNone, kPerhaps };

void RemoveTemporary(const fs::path& folder, Others others) {
  for (const fs::path& path : EntriesOf(folder)) {
    std::error_code ignored;
    if (others == Others::kNone || IsOlder(path, kTemporaryAge)) fs::remove_all(path, ignored);
  }
}

bool Flock(const FileDescriptor& fd, int operation) {
  int result;
  do {
    result = flock(fd.get(), operation);
  } while (result != 0 && errno == EINTR);
  return result == 0;
}

void RemovePartial(const StorePaths& paths) {
  for (const fs::path& path : EntriesOf(paths.Partial())) {
    if (!IsOlder(path, kPartialAge)) continue;
    const auto digest = specs::Sha256::Parse(path.filename().string());
    if (!digest) continue;
    const auto lock = EntryLock::Try(paths.DownloadLock(*digest));
    std::error_code ignored;
    // Once more, now that nobody else can write to it.
    if (lock && IsOlder(path, kPartialAge)) fs::remove(path, ignored);
  }
}

void RemoveLocks(const fs::path& folder) {
  for (const fs::path& path : EntriesOf(folder)) {
    if (!IsOlder(path, kLockAge)) continue;
    if (auto lock = EntryLock::Try(path)) EntryLock::Remove(*std::move(lock), path);
  }
}

}  // namespace

bool TryToBeAlone(const FileDescriptor& presence) { return Flock(presence, LOCK_EX | LOCK_NB); }

void BeOneOfMany(const FileDescriptor& presence) { Flock(presence, LOCK_SH); }

FileDescriptor EnterAndRemoveStale(const StorePaths& paths) {
  FileDescriptor presence(open(paths.Temporary().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Alone for a moment: whoever comes meanwhile waits, and has made nothing yet.
  const bool alone = TryToBeAlone(presence);
  RemoveTemporary(paths.Temporary(), alone ? Others::kNone : Others::kPerhaps);
  BeOneOfMany(presence);
  if (!IsDue(paths.Swept())) return presence;
  RemovePartial(paths);
  RemoveLocks(paths.Locks());
  return presence;
}

}  // namespace imgbuild::layers
