#include "builder/engine/host_folder.h"

#include <algorithm>
#include <fstream>

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

// "/a/b" for "/a/x/../b/".
fs::path Normal(const fs::path& folder) {
  fs::path normal = folder.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

// Whether `folder` is `inner` or leads to it.
bool IsAtOrAbove(const fs::path& folder, const fs::path& inner) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), inner.begin(), inner.end());
  return end == folder.end();
}

}  // namespace

FolderLabel LabelFor(const fs::path& folder, const std::string& home,
                     const fs::path& enforce_file) {
  char in_force = '0';
  std::ifstream(enforce_file).get(in_force);
  if (in_force != '1') return FolderLabel::kNone;
  const fs::path place = Normal(folder);
  if (!home.empty() && IsAtOrAbove(place, Normal(home))) {
    return FolderLabel::kDisable;
  }
  // "/", "/usr", "/home": the system's.
  const auto depth = std::distance(place.begin(), place.end());
  return depth <= 2 ? FolderLabel::kDisable : FolderLabel::kRelabel;
}

}  // namespace imgbuild::builder
