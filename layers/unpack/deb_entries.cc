#include "layers/unpack/deb_entries.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "layers/tree/file_tree.h"
#include "layers/tree/path.h"
#include "layers/unpack/deb_paths.h"
#include "layers/unpack/excluded_paths.h"
#include "layers/unpack/library_watcher.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

using specs::Error;

constexpr std::size_t kMaxEntries = 2'000'000;
constexpr std::uint64_t kMaxFile = 64ull << 30;

std::uint32_t OwnerId32(std::uint64_t id, const std::string& path) {
  if (id > std::numeric_limits<std::uint32_t>::max() - 1) {
    throw Error(fmt::format("{} has the owner {}, which no system knows", path, id));
  }
  return static_cast<std::uint32_t>(id);
}

NodeType TypeOf(const ArchiveEntry& entry) {
  switch (entry.type) {
    case ArchiveType::kFile:
      return NodeType::kFile;
    case ArchiveType::kDirectory:
      return NodeType::kDirectory;
    case ArchiveType::kSymlink:
      return NodeType::kSymlink;
    case ArchiveType::kHardlink:
      return NodeType::kHardlink;
    case ArchiveType::kDevice:
    case ArchiveType::kOther:
      break;
  }
  throw Error(fmt::format("the package has {} that is a device, pipe or socket", entry.path))
      .Expected("files, directories and links");
}

Node NodeOf(const ArchiveEntry& entry, const std::string& path) {
  Node node;
  node.type = TypeOf(entry);
  node.mode = node.type == NodeType::kSymlink ? 0777 : entry.mode;
  node.uid = OwnerId32(entry.uid, path);
  node.gid = OwnerId32(entry.gid, path);
  node.mtime = std::max(entry.mtime, kFixedTime);
  if (node.type == NodeType::kSymlink) {
    node.target = entry.target;
    if (node.target.empty() || node.target.size() > kMaxPath ||
        node.target.find('\0') != std::string::npos) {
      throw Error(fmt::format("the symbolic link {} has no usable target", path));
    }
  }
  return node;
}

// Sorted, with directories that came twice once.
void Unite(std::vector<DebEntry>& entries) {
  std::ranges::stable_sort(entries, {}, [](const DebEntry& e) { return e.facts.path; });
  auto is_directory = [](const DebEntry& e) { return e.facts.node.type == NodeType::kDirectory; };
  for (std::size_t i = 1; i < entries.size(); ++i) {
    if (entries[i].facts.path != entries[i - 1].facts.path) continue;
    if (is_directory(entries[i]) && is_directory(entries[i - 1])) continue;
    throw Error(fmt::format("the package has {} twice", entries[i].facts.path));
  }
  auto same = [](const DebEntry& a, const DebEntry& b) { return a.facts.path == b.facts.path; };
  entries.erase(std::unique(entries.begin(), entries.end(), same), entries.end());
}

}  // namespace

std::optional<std::string> DebEntries::Target(const std::string& written, NodeType type) const {
  if (ReplacedByScript(package_, written, type)) return std::nullopt;
  std::optional<std::string> path = MergedUsrPath(written, type, options_.suite);
  if (path && options_.filter == PathFilter::kSlim && ExcludedPath(*path, type)) {
    return std::nullopt;
  }
  return path;
}

void DebEntries::Add(const ArchiveEntry& entry, Source& data) {
  std::string path = DebMemberPath(entry.path);
  Node node = NodeOf(entry, path);
  if (path.empty()) {
    if (node.type == NodeType::kDirectory) return;
    throw Error("the package has something without a name that is no directory");
  }
  if (files_.size() + others_.size() >= kMaxEntries) {
    throw Error(fmt::format("the package has more than {} files", kMaxEntries));
  }
  if (node.type == NodeType::kFile) {
    node.size = entry.size.value_or(0);
    AddFile(path, node, data);
  } else if (node.type == NodeType::kHardlink) {
    AddLink(path, entry);
  } else if (std::optional<std::string> target = Target(path, node.type)) {
    others_.push_back({{std::move(*target), std::move(node), std::nullopt}, {}});
  }
}

void DebEntries::AddFile(const std::string& written, const Node& node, Source& data) {
  if (node.size > kMaxFile) {
    throw Error(fmt::format("{} is too large", written))
        .Found(fmt::format("{} bytes", node.size))
        .Expected(fmt::format("at most {} bytes", kMaxFile));
  }
  if (!files_.emplace(written, groups_.size()).second) {
    throw Error(fmt::format("the package has {} twice", written));
  }
  Group group;
  group.node = node;
  group.content = spool_.Add(data, node.size);
  group.node.digest = group.content.digest;
  if (auto target = Target(written, NodeType::kFile)) group.paths.push_back(std::move(*target));
  groups_.push_back(std::move(group));
}

void DebEntries::AddLink(const std::string& written, const ArchiveEntry& entry) {
  auto target = files_.find(DebMemberPath(entry.target));
  if (target == files_.end()) {
    throw Error(fmt::format("{} is a hard link to {}, which is no file before it in the package",
                            written, entry.target));
  }
  std::size_t group = target->second;
  if (!files_.emplace(written, group).second) {
    throw Error(fmt::format("the package has {} twice", written));
  }
  if (auto path = Target(written, NodeType::kFile)) {
    groups_[group].paths.push_back(std::move(*path));
  }
}

std::optional<ElfFacts> DebEntries::ElfOf(const SpoolPiece& content) {
  if (content.size < 16) return std::nullopt;
  Spool::View view = spool_.Read(content);
  LibraryFacts library = ReadLibrary(view.bytes());
  gpu_code_.merge(library.gpu_code);
  return std::move(library.elf);
}

std::vector<DebEntry> DebEntries::Finish() {
  std::vector<DebEntry> entries = std::move(others_);
  for (Group& group : groups_) {
    std::ranges::sort(group.paths);
    for (std::size_t i = 0; i < group.paths.size(); ++i) {
      DebEntry entry;
      entry.facts.path = group.paths[i];
      entry.facts.node = group.node;
      if (i == 0) {
        entry.content = group.content;
        entry.facts.elf = ElfOf(group.content);
      } else {
        entry.facts.node.type = NodeType::kHardlink;
        entry.facts.node.size = 0;
        entry.facts.node.digest = {};
        entry.facts.node.target = group.paths[0];
      }
      entries.push_back(std::move(entry));
    }
  }
  Unite(entries);
  return entries;
}

}  // namespace imgbuild::layers
