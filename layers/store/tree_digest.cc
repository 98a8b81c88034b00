#include "layers/store/tree_digest.h"

#include <algorithm>
#include <vector>

#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "specs/base/key.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> AllBelow(const fs::path& root) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(root, error), end; !error && entry != end;
       entry.increment(error)) {
    paths.push_back(entry->path());
  }
  if (error) throw FileError("list", root, error.value());
  std::sort(paths.begin(), paths.end());
  return paths;
}

void AddEntry(specs::KeyBuilder& key, const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (error) throw FileError("read", path, error.value());
  if (fs::is_directory(status)) {
    key.Add("kind", "directory");
  } else if (fs::is_symlink(status)) {
    key.Add("link", fs::read_symlink(path, error).string());
    if (error) throw FileError("read", path, error.value());
  } else {
    const bool executable = (status.permissions() & fs::perms::owner_exec) != fs::perms::none;
    key.Add(executable ? "program" : "file", HashFile(path));
  }
}

}  // namespace

specs::Sha256 TreeDigest(const fs::path& root) {
  specs::KeyBuilder key("tree-digest/1");
  for (const fs::path& path : AllBelow(root)) {
    key.Add("path", path.lexically_relative(root).string());
    AddEntry(key, path);
  }
  return key.Finish();
}

}  // namespace imgbuild::layers
