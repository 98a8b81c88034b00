#include "builder/engine/file_watch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/core.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kEvents =
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR;

// As images leave them out, or programs write them while they run.
bool IsOfNoInterest(const std::string& name) {
  constexpr std::string_view kNames[] = {
      ".git",         ".hg",         ".svn",        ".venv",         "__pycache__",
      "node_modules", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".ipynb_checkpoints"};
  return std::ranges::find(kNames, name) != std::end(kNames) || name.ends_with(".pyc") ||
         name.ends_with("~") || name.ends_with(".swp") || name.ends_with(".swx");
}

}  // namespace

FileWatch::FileWatch() : inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (inotify_.get() < 0) {
    throw specs::Error("cannot watch files").Found(std::strerror(errno));
  }
}

FileWatch::Folder* FileWatch::Add(const fs::path& folder) {
  const fs::path path = folder.empty() ? fs::path(".") : folder;
  const int watch = ::inotify_add_watch(inotify_.get(), path.c_str(), kEvents);
  if (watch < 0 && (errno == ENOENT || errno == ENOTDIR)) return nullptr;
  if (watch < 0) {
    throw specs::Error(fmt::format("cannot watch {}", path.string()))
        .Found(std::strerror(errno))
        .Hint(errno == ENOSPC ? "raise the sysctl fs.inotify.max_user_watches" : "");
  }
  Folder& added = folders_[watch];
  added.path = path;
  return &added;
}

void FileWatch::AddWhole(const fs::path& folder) {
  Folder* added = Add(folder);
  if (added == nullptr) return;
  added->whole = true;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    std::error_code gone;
    const bool inside = entry.is_directory(gone) && !entry.is_symlink(gone);
    if (inside && !IsOfNoInterest(entry.path().filename())) AddWhole(entry.path());
  }
}

// A folder that stays has its watch, and what has happened there is still to be read.
void FileWatch::Watch(const std::vector<fs::path>& places) {
  const std::map<int, Folder> before = std::exchange(folders_, {});
  for (const fs::path& place : places) {
    std::error_code error;
    const bool whole = fs::is_directory(place, error);
    if (whole) AddWhole(place);
    // A folder, too, may be replaced by another one of its name.
    if (Folder* above = Add(place.parent_path())) above->names.insert(place.filename());
  }
  for (const auto& [watch, folder] : before) {
    if (!folders_.contains(watch)) ::inotify_rm_watch(inotify_.get(), watch);
  }
}

bool FileWatch::Changed() {
  bool changed = false;
  alignas(inotify_event) std::array<char, 16384> buffer;
  for (;;) {
    const ssize_t count = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return changed;
    for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += sizeof(inotify_event) + event->len;
      if ((event->mask & IN_Q_OVERFLOW) != 0) changed = true;
      const auto found = folders_.find(event->wd);
      if (found == folders_.end() || event->len == 0) continue;
      const std::string name = event->name;
      const Folder folder = found->second;
      if (folder.names.contains(name)) changed = true;
      if (!folder.whole || IsOfNoInterest(name)) continue;
      changed = true;
      std::error_code error;
      const bool is_new = (event->mask & (IN_CREATE | IN_MOVED_TO)) != 0;
      if (is_new && fs::is_directory(folder.path / name, error)) AddWhole(folder.path / name);
    }
  }
}

}  // namespace imgbuild::builder
