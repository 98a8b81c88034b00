#include "layers/store/cache_folder.h"

#include <string>

#include <unistd.h>

#include "layers/io/file.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWaysOut =
    "name another place for the cache with XDG_CACHE_HOME or --cache-dir";

// The lowest one at or above `path` that exists.
fs::path Existing(fs::path path) {
  std::error_code ignored;
  while (!fs::exists(path, ignored) && path.has_relative_path()) path = path.parent_path();
  return path;
}

specs::Error WithWaysOut(specs::Error error) {
  const std::string before = error.hint();
  if (before.find("--cache-dir") != std::string::npos) return error;
  return std::move(error).Hint(before.empty() ? kWaysOut : before + ", or " + kWaysOut);
}

}  // namespace

void MakeFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && !fs::is_directory(folder, error)) {
    error = std::make_error_code(std::errc::not_a_directory);
  }
  if (!error) return;
  throw WithWaysOut(FileError("create the folder", folder, error.value()));
}

std::vector<fs::path> EntriesOf(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    entries.push_back(entry->path());
  }
  return entries;
}

specs::Error ExplainCache(specs::Error error, const fs::path& path) {
  const fs::path existing = Existing(path.parent_path());
  std::error_code ignored;
  if (fs::is_directory(existing, ignored) && access(existing.c_str(), W_OK | X_OK) == 0) {
    return error;
  }
  return WithWaysOut(std::move(error));
}

}  // namespace imgbuild::layers
