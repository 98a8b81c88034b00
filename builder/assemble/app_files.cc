#include "builder/assemble/app_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/core.h>
#include <sys/stat.h>

#include "builder/assemble/ignore_rules.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"
#include "specs/base/key.h"
#include "specs/base/text.h"

namespace imgbuild::builder {

const char kAlwaysExcluded[] =
    ".git\n.hg\n.svn\n"
    ".env\n.env.*\n!.env.example\n.netrc\n"
    ".venv/\nvenv/\n.direnv/\nnode_modules/\n"
    "__pycache__/\n*.pyc\n.pytest_cache/\n.mypy_cache/\n.ruff_cache/\n.ipynb_checkpoints/\n"
    ".sesskey\n.DS_Store\n"
    "*.local.toml\n*.local.lock\n*.oci/\n";

namespace {

namespace fs = std::filesystem;

struct Owner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

Owner ParseOwner(std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto uid = specs::ParseUnsigned(text.substr(0, colon));
  const auto gid =
      colon == std::string_view::npos ? uid : specs::ParseUnsigned(text.substr(colon + 1));
  if (!uid || !gid || *uid > 0xFFFFFFFE || *gid > 0xFFFFFFFE) {
    throw specs::Error(specs::ErrorKind::kUsage,
                       fmt::format("files.owner is \"uid:gid\" in numbers, not \"{}\"", text));
  }
  return {static_cast<std::uint32_t>(*uid), static_cast<std::uint32_t>(*gid)};
}

std::string ReadText(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

[[noreturn]] void Refuse(const fs::path& path, std::string_view why) {
  throw specs::Error(fmt::format("{} cannot go into the image: {}", path.string(), why));
}

// Without "." and a slash at its end, and from the root: what lies above it does not depend on
// where the program was started.
fs::path Absolute(const fs::path& path) {
  fs::path absolute = fs::absolute(path).lexically_normal();
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

// The folder that .gitignore files count from: of the repository that `from` lies in, else `from`.
fs::path TopOf(const fs::path& from) {
  for (fs::path directory = from;; directory = directory.parent_path()) {
    if (fs::exists(directory / ".git")) return directory;
    if (directory == directory.root_path()) return from;
  }
}

class Reader {
 public:
  explicit Reader(const specs::FilesEntry& entry)
      : entry_(entry), owner_(ParseOwner(entry.owner)), from_(entry.from) {}

  AppFiles Read() {
    struct stat status {};
    if (stat(from_.c_str(), &status) != 0) {
      throw specs::Error(specs::ErrorKind::kUsage,
                         fmt::format("cannot read {}: {}", from_.string(), std::strerror(errno)))
          .Hint("files.from is relative to the spec");
    }
    if (S_ISDIR(status.st_mode)) {
      AddRules();
      const std::string top = Target("");  // "" for the image's root, which is nobody's
      if (!top.empty()) result_.tree[top] = layers::MakeDirectory(0755, owner_.uid, owner_.gid);
      ReadDirectory("");
    } else {
      AddFile(from_, Destination(), status);
    }
    result_.digest = Digest();
    return std::move(result_);
  }

 private:
  void AddRules() {
    always_.Add(kAlwaysExcluded, "");
    for (const std::string& pattern : entry_.exclude) excluded_.Add(pattern, "");
    const fs::path from = Absolute(from_);
    const fs::path top = TopOf(from);
    if (from == top) return;
    below_top_ = from.lexically_relative(top).generic_string();
    fs::path directory = top;
    for (const fs::path& name : from.lexically_relative(top)) {
      AddGitignore(directory, directory == top ? "" : directory.lexically_relative(top).string());
      directory /= name;
    }
  }

  void AddGitignore(const fs::path& directory, const std::string& below_top) {
    const fs::path file = directory / ".gitignore";
    if (fs::exists(file)) gitignore_.Add(ReadText(file), below_top);
  }

  std::string BelowTop(const std::string& relative) const {
    if (relative.empty()) return below_top_;
    return below_top_.empty() ? relative : below_top_ + "/" + relative;
  }

  // files.to of a single file: a directory where it ends in a slash.
  std::string Destination() const {
    std::string to = entry_.to.substr(1);
    if (entry_.to.ends_with('/')) to += from_.filename();
    return to;
  }

  std::string Target(const std::string& relative) const {
    std::string to = entry_.to.substr(1);
    while (to.ends_with('/')) to.pop_back();
    if (relative.empty()) return to;
    return to.empty() ? relative : to + "/" + relative;
  }

  // The spec has the last word; what is always left out, no .gitignore brings back.
  bool IsIgnored(const std::string& relative, IgnoreRules::Kind kind) const {
    using Verdict = IgnoreRules::Verdict;
    const Verdict excluded = excluded_.Judge(relative, kind);
    if (excluded != Verdict::kNone) return excluded == Verdict::kIgnored;
    return always_.Judge(relative, kind) == Verdict::kIgnored ||
           gitignore_.Judge(BelowTop(relative), kind) == Verdict::kIgnored;
  }

  void ReadDirectory(const std::string& relative) {
    const fs::path directory = from_ / relative;
    AddGitignore(directory, BelowTop(relative));
    std::vector<std::string> names;
    for (const auto& item : fs::directory_iterator(directory))
      names.push_back(item.path().filename());
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      ReadItem(relative.empty() ? name : relative + "/" + name);
    }
  }

  void ReadItem(const std::string& relative) {
    const fs::path path = from_ / relative;
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) Refuse(path, std::strerror(errno));
    const bool directory = S_ISDIR(status.st_mode);
    if (IsIgnored(relative, directory ? IgnoreRules::Kind::kDirectory : IgnoreRules::Kind::kFile)) {
      return;
    }
    if (directory) {
      result_.tree[Target(relative)] = layers::MakeDirectory(0755, owner_.uid, owner_.gid);
      ReadDirectory(relative);
    } else if (S_ISLNK(status.st_mode)) {
      AddLink(path, relative);
    } else {
      AddFile(path, Target(relative), status);
    }
  }

  void AddLink(const fs::path& path, const std::string& relative) {
    const fs::path target = fs::read_symlink(path);
    const fs::path inside = (fs::path(relative).parent_path() / target).lexically_normal();
    if (target.is_absolute() || *inside.begin() == "..") {
      Refuse(path, "the symbolic link leads out of " + from_.string());
    }
    layers::ContentFile link = layers::MakeSymlink(target.string());
    link.node.uid = owner_.uid;
    link.node.gid = owner_.gid;
    result_.tree[Target(relative)] = std::move(link);
  }

  void AddFile(const fs::path& path, const std::string& target, const struct stat& status) {
    if (!S_ISREG(status.st_mode)) Refuse(path, "not a file, directory or symbolic link");
    layers::ContentFile file;
    file.node.mode = entry_.mode.value_or((status.st_mode & 0100) != 0 ? 0755 : 0644);
    file.node.uid = owner_.uid;
    file.node.gid = owner_.gid;
    file.node.mtime = layers::kFixedTime;
    file.disk_path = path.string();
    layers::FileSource disk(path);  // not mapped: the user may truncate it meanwhile
    layers::HashingSource content(disk);
    layers::NullSink nowhere;
    layers::CopyAll(content, nowhere);
    file.node.size = content.count();
    file.node.digest = content.Finish();
    result_.bytes += file.node.size;
    result_.tree[target] = std::move(file);
  }

  specs::Sha256 Digest() const {
    specs::KeyBuilder key("app-files/1");
    for (const auto& [path, file] : result_.tree) {
      key.Add("path", path).Add("type", static_cast<std::uint64_t>(file.node.type));
      key.Add("mode", file.node.mode).Add("uid", file.node.uid).Add("gid", file.node.gid);
      key.Add("target", file.node.target).Add("content", file.node.digest);
    }
    return key.Finish();
  }

  const specs::FilesEntry& entry_;
  const Owner owner_;
  const fs::path from_;
  IgnoreRules always_;
  IgnoreRules excluded_;
  IgnoreRules gitignore_;  // of all folders from the repository's top, outer ones first
  std::string below_top_;  // where from_ lies; "": at the top
  AppFiles result_;
};

}  // namespace

AppFiles ReadAppFiles(const specs::FilesEntry& entry) {
  return specs::WithContext(fmt::format("while reading files for {}", entry.to),
                            [&] { return Reader(entry).Read(); });
}

}  // namespace imgbuild::builder
