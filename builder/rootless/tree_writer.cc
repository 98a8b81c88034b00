#include "builder/rootless/tree_writer.h"

#include <cerrno>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/rootless/remove_tree.h"
#include "layers/tree/path.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";
constexpr std::size_t kMostEntries = 4'000'000;

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string Below(const std::string& folder, std::string_view name) {
  return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
}

// Where an entry goes: the folder, open, and a name in it.
struct Place {
  layers::FileDescriptor folder;
  std::string name;
};

Place PlaceOf(const RootFolder& root, const std::string& path) {
  return {root.MakeFolder(std::string(layers::ParentPath(path))), NameOf(path)};
}

void SetTime(int folder, const char* name, std::int64_t mtime) {
  const timespec times[2] = {{mtime, 0}, {mtime, 0}};
  ::utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW);
}

std::vector<std::string> NamesIn(const RootFolder& root, const std::string& path) {
  std::vector<std::string> names;
  const layers::FileDescriptor folder = root.Find(path);
  if (!folder.valid()) return names;
  DIR* stream = ::opendir(PathOf(folder).c_str());
  if (stream == nullptr) return names;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(stream);
  return names;
}

}  // namespace

void TreeWriter::AddLayer(layers::Source& layer) {
  made_.clear();
  layers::ArchiveReader reader(layer, layers::ArchiveFormat::kTar);
  std::size_t count = 0;
  while (const std::optional<layers::ArchiveEntry> entry = reader.Next()) {
    if (++count > kMostEntries) throw specs::Error("the layer has too many files");
    Add(reader, *entry);
  }
}

void TreeWriter::Finish() {
  for (auto entry = folder_times_.rbegin(); entry != folder_times_.rend(); ++entry) {
    const layers::FileDescriptor folder = root_.Find(entry->first);
    if (folder.valid()) SetTime(AT_FDCWD, (PathOf(folder) + "/.").c_str(), entry->second);
  }
}

void TreeWriter::Add(layers::ArchiveReader& reader, const layers::ArchiveEntry& entry) {
  const std::optional<std::string> path = layers::CanonicalPath(entry.path);
  if (!path) throw specs::Error("the layer has a path that leads elsewhere").Found(entry.path);
  if (path->empty()) return;
  const std::string name = NameOf(*path);
  if (name.starts_with(kWhiteout)) {
    Whiteout(std::string(layers::ParentPath(*path)), name);
    return;
  }
  switch (entry.type) {
    case layers::ArchiveType::kFile:
      return WriteFile(reader, entry, *path);
    case layers::ArchiveType::kDirectory:
      return WriteFolder(entry, *path);
    case layers::ArchiveType::kSymlink:
    case layers::ArchiveType::kHardlink:
      return WriteLink(entry, *path);
    case layers::ArchiveType::kDevice:
    case layers::ArchiveType::kOther:
      return;
  }
}

void TreeWriter::Whiteout(const std::string& parent, std::string_view name) {
  if (name == kOpaque) return ClearLower(parent);
  const std::string_view hidden = name.substr(kWhiteout.size());
  if (hidden.empty() || hidden == "." || hidden == "..") {
    throw specs::Error("the layer has a whiteout of nothing").Found(std::string(name));
  }
  const std::string path = Below(parent, hidden);
  if (made_.contains(path)) return ClearLower(path);
  Remove(path);
}

void TreeWriter::ClearLower(const std::string& folder) {
  for (const std::string& name : NamesIn(root_, folder)) {
    const std::string path = Below(folder, name);
    if (!made_.contains(path)) {
      Remove(path);
      continue;
    }
    const Place place = PlaceOf(root_, path);
    struct stat status {};
    if (::fstatat(place.folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(status.st_mode)) {
      ClearLower(path);
    }
  }
}

void TreeWriter::Remove(const std::string& path) {
  const layers::FileDescriptor folder = root_.Find(std::string(layers::ParentPath(path)));
  if (folder.valid()) RemoveAt(folder.get(), NameOf(path));
}

void TreeWriter::MarkMade(const std::string& path) {
  for (std::string_view rest = path; !rest.empty(); rest = layers::ParentPath(rest)) {
    if (!made_.emplace(rest).second) return;
  }
}

void TreeWriter::WriteFile(layers::ArchiveReader& reader, const layers::ArchiveEntry& entry,
                           const std::string& path) {
  const Place place = PlaceOf(root_, path);
  RemoveAt(place.folder.get(), place.name);
  layers::FileDescriptor file(::openat(place.folder.get(), place.name.c_str(),
                                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) throw layers::FileError("create", root_.path() / path, errno);
  const int fd = ::fcntl(file.get(), F_DUPFD_CLOEXEC, 3);
  layers::FileSink sink(std::move(file), root_.path() / path);
  const layers::FileDescriptor again(fd);
  layers::CopyAll(reader.Data(), sink);
  sink.Close();
  // The owner first: giving a file away takes its set-user-id right.
  if (owners_ == TreeOwners::kAsWritten &&
      ::fchown(again.get(), static_cast<uid_t>(entry.uid), static_cast<gid_t>(entry.gid)) != 0 &&
      errno != EINVAL) {
    throw layers::FileError("give away", root_.path() / path, errno);
  }
  if (::fchmod(again.get(), entry.mode & 07777) != 0) {
    throw layers::FileError("change the mode of", root_.path() / path, errno);
  }
  const timespec times[2] = {{entry.mtime, 0}, {entry.mtime, 0}};
  ::futimens(again.get(), times);
  MarkMade(path);
}

void TreeWriter::WriteFolder(const layers::ArchiveEntry& entry, const std::string& path) {
  const Place place = PlaceOf(root_, path);
  struct stat status {};
  const bool there =
      ::fstatat(place.folder.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (there && !S_ISDIR(status.st_mode)) RemoveAt(place.folder.get(), place.name);
  if ((!there || !S_ISDIR(status.st_mode)) &&
      ::mkdirat(place.folder.get(), place.name.c_str(), 0700) != 0) {
    throw layers::FileError("create", root_.path() / path, errno);
  }
  if (owners_ == TreeOwners::kAsWritten &&
      ::fchownat(place.folder.get(), place.name.c_str(), static_cast<uid_t>(entry.uid),
                 static_cast<gid_t>(entry.gid), AT_SYMLINK_NOFOLLOW) != 0 &&
      errno != EINVAL) {
    throw layers::FileError("give away", root_.path() / path, errno);
  }
  if (::fchmodat(place.folder.get(), place.name.c_str(), entry.mode & 07777, 0) != 0) {
    throw layers::FileError("change the mode of", root_.path() / path, errno);
  }
  folder_times_.emplace_back(path, entry.mtime);
  MarkMade(path);
}

void TreeWriter::WriteLink(const layers::ArchiveEntry& entry, const std::string& path) {
  const Place place = PlaceOf(root_, path);
  if (entry.type == layers::ArchiveType::kSymlink) {
    RemoveAt(place.folder.get(), place.name);
    if (::symlinkat(entry.target.c_str(), place.folder.get(), place.name.c_str()) != 0) {
      throw layers::FileError("create", root_.path() / path, errno);
    }
    if (owners_ == TreeOwners::kAsWritten) {
      [[maybe_unused]] const int given =
          ::fchownat(place.folder.get(), place.name.c_str(), static_cast<uid_t>(entry.uid),
                     static_cast<gid_t>(entry.gid), AT_SYMLINK_NOFOLLOW);
    }
    SetTime(place.folder.get(), place.name.c_str(), entry.mtime);
    return MarkMade(path);
  }
  const std::optional<std::string> target = layers::CanonicalPath(entry.target);
  if (!target || target->empty() || *target == path) {
    throw specs::Error("the layer has a hard link that leads elsewhere").Found(entry.target);
  }
  RemoveAt(place.folder.get(), place.name);
  const layers::FileDescriptor from = root_.Find(std::string(layers::ParentPath(*target)));
  if (!from.valid() || ::linkat(from.get(), NameOf(*target).c_str(), place.folder.get(),
                                place.name.c_str(), 0) != 0) {
    throw layers::FileError("link", root_.path() / path, errno);
  }
  MarkMade(path);
}

}  // namespace imgbuild::builder
