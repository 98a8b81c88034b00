// What one run writes outside of the folders it shares, until it ends.
#pragma once

#include <filesystem>
#include <string>

#include "layers/store/entry_lock.h"

namespace imgbuild::builder {

// runs/NAME below the cache's folder, and runs/NAME.lock, which is held as long as this object or a
// process forked meanwhile lives.
class RunFolder {
 public:
  // Throws Error where it cannot be made.
  explicit RunFolder(const std::filesystem::path& base);
  // Without the folder, the lock's file goes, too.
  ~RunFolder();
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  // Removes both, whoever calls this of those who were forked meanwhile. REQUIRES: the rights over
  // what the run wrote, which may belong to others than us.
  void Remove() const;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::optional<layers::EntryLock> lock_;
};

// Removes folders of runs that nobody is in any more. REQUIRES: a user namespace in which what they
// wrote belongs to somebody; what does not stays for another time.
void RemoveDeadRuns(const std::filesystem::path& base);

}  // namespace imgbuild::builder
