#include "builder/rootless/run_folder.h"

#include <atomic>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/rootless/remove_tree.h"
#include "layers/store/cache_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kLock = ".lock";

fs::path LockOf(const fs::path& run) { return run.string() + std::string(kLock); }

}  // namespace

RunFolder::RunFolder(const fs::path& base) {
  layers::MakeFolder(base / "runs");
  for (unsigned number = 0;; ++number) {
    path_ = base / "runs" / fmt::format("{}-{}", ::getpid(), number);
    lock_ = layers::EntryLock::Try(LockOf(path_));
    if (!lock_ && number < 1000) continue;
    if (::mkdir(path_.c_str(), 0700) == 0) return;
    const int failed = errno;
    if (failed != EEXIST || number >= 1000) throw layers::FileError("create", path_, failed);
  }
}

RunFolder::~RunFolder() {
  std::error_code error;
  if (!fs::exists(path_, error) && !error) {
    layers::EntryLock::Remove(*std::move(lock_), LockOf(path_));
  }
}

void RunFolder::Remove() const {
  if (RemoveAt(AT_FDCWD, path_.string())) RemoveAt(AT_FDCWD, LockOf(path_).string());
}

void RemoveDeadRuns(const fs::path& base) {
  for (const fs::path& lock_file : layers::EntriesOf(base / "runs")) {
    if (lock_file.extension() != kLock) continue;
    auto lock = layers::EntryLock::Try(lock_file);
    if (!lock) continue;
    if (RemoveAt(AT_FDCWD, fs::path(lock_file).replace_extension().string())) {
      layers::EntryLock::Remove(*std::move(lock), lock_file);
    }
  }
}

}  // namespace imgbuild::builder
