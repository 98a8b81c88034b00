#include "builder/cli/writable.h"

#include <cerrno>

#include <unistd.h>

#include "layers/io/file.h"

namespace imgbuild::builder {

void RequireWritableFolder(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  fs::path at = folder.empty() ? fs::path(".") : folder;
  std::error_code error;
  while (!at.empty() && !fs::exists(at, error)) {
    at = at.has_relative_path() ? at.parent_path() : fs::path();
  }
  if (at.empty()) at = ".";
  if (!fs::exists(at, error)) throw layers::FileError("write into", at, ENOENT);
  if (!fs::is_directory(at, error)) throw layers::FileError("write into", at, ENOTDIR);
  if (access(at.c_str(), W_OK | X_OK) != 0) throw layers::FileError("write into", at, errno);
}

}  // namespace imgbuild::builder
