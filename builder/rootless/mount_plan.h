// What is mounted where for one run, as a value.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace imgbuild::builder {

enum class MountKind {
  kBindFolder,    // of the host, with what is mounted below it
  kBindFile,      // or a device
  kBindReadOnly,  // a folder, for looking only
  kNew,           // a file system of its own
  kLink,          // a symbolic link in place of whatever is there
};

// What happens where the kernel refuses.
enum class MountNeed { kRequired, kOptional };

struct PlannedMount {
  MountKind kind = MountKind::kNew;
  std::string source;   // a path of the host, a file system's type, or where a link leads
  std::string target;   // canonical path in the image
  std::string options;  // of a new file system
  unsigned long flags = 0;
  MountNeed need = MountNeed::kRequired;
  std::string instead = {};  // a folder of the host to bind where a new file system is refused

  bool operator==(const PlannedMount&) const = default;
};

// A folder of the host that a run sees.
struct SharedFolder {
  std::filesystem::path host;
  std::string inside;  // "/work"

  bool operator==(const SharedFolder&) const = default;
};

// In the order in which they are made, over the image's files: /proc, /dev with the usual devices
// and a terminal of its own, /sys to look at, an empty /tmp, the host's name resolution, then
// `folders`, in order of their paths. Throws Error for a folder that is not an absolute path.
std::vector<PlannedMount> MountsFor(std::vector<SharedFolder> folders);

}  // namespace imgbuild::builder
