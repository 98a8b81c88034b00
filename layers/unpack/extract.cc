// Every path is walked from the root one component at a time, without following links, so that
// neither this package nor one extracted before can lead outside.
#include "layers/unpack/extract.h"

#include <array>
#include <cerrno>
#include <map>
#include <string>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layers/io/file.h"
#include "layers/tree/path.h"
#include "layers/unpack/deb_reader.h"
#include "layers/unpack/spool.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

class Extractor {
 public:
  Extractor(const std::filesystem::path& root, const Spool& spool) : root_(root), spool_(spool) {
    std::filesystem::create_directories(root);
    root_fd_ = FileDescriptor(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root_fd_.valid()) throw FileError("open", root, errno);
  }

  void Extract(const DebEntry& entry) {
    const auto& [path, node, elf] = entry.facts;
    std::string_view folder = ParentPath(path);
    std::string name(path.substr(folder.empty() ? 0 : folder.size() + 1));
    if (node.type == NodeType::kDirectory) {
      OpenFolder(path);
      return;
    }
    int parent = OpenFolder(folder);
    if (::unlinkat(parent, name.c_str(), 0) != 0 && errno != ENOENT) Fail("replace", path);
    if (node.type == NodeType::kFile) {
      WriteFile(parent, name, entry);
    } else if (node.type == NodeType::kSymlink) {
      if (::symlinkat(node.target.c_str(), parent, name.c_str()) != 0) Fail("link", path);
    } else {
      LinkFile(parent, name, entry);
    }
  }

 private:
  [[noreturn]] void Fail(std::string_view what, std::string_view path) const {
    throw FileError(what, root_ / path, errno);
  }

  // The folder's descriptor, made with its ancestors where missing. Kept while paths stay in it:
  // entries come sorted.
  int OpenFolder(std::string_view path) {
    if (path.empty()) return root_fd_.get();
    if (last_.valid() && path == last_path_) return last_.get();
    FileDescriptor folder(::dup(root_fd_.get()));
    std::string_view rest = path;
    while (!rest.empty()) {
      std::size_t slash = rest.find('/');
      std::string name(rest.substr(0, slash));
      rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
      if (::mkdirat(folder.get(), name.c_str(), 0755) != 0 && errno != EEXIST) Fail("create", path);
      FileDescriptor next(::openat(folder.get(), name.c_str(), kFolderFlags));
      if (!next.valid() && (errno == ELOOP || errno == ENOTDIR)) {
        throw specs::Error(fmt::format("the package has paths below {}, which is no folder", path));
      }
      if (!next.valid()) Fail("open", path);
      folder = std::move(next);
    }
    last_ = std::move(folder);
    last_path_ = path;
    return last_.get();
  }

  void WriteFile(int parent, const std::string& name, const DebEntry& entry) {
    const auto& [path, node, elf] = entry.facts;
    FileDescriptor fd(
        ::openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd.valid()) Fail("create", path);
    std::array<timespec, 2> times{};
    times[0].tv_sec = times[1].tv_sec = node.mtime;
    int raw = fd.get();
    FileSink sink(std::move(fd), root_ / path);
    CopyAll(*spool_.Open(entry.content), sink);
    sink.Flush();
    if (::fchmod(raw, node.mode & 0777) != 0) Fail("set the mode of", path);
    if (::futimens(raw, times.data()) != 0) Fail("set the time of", path);
    sink.Close();
  }

  // To a file of the same package, so just written and in a folder that was walked.
  void LinkFile(int parent, const std::string& name, const DebEntry& entry) {
    const auto& [path, node, elf] = entry.facts;
    FileDescriptor kept(::dup(parent));
    std::string_view folder = ParentPath(node.target);
    std::string target(node.target.substr(folder.empty() ? 0 : folder.size() + 1));
    int target_folder = OpenFolder(folder);
    if (::linkat(target_folder, target.c_str(), kept.get(), name.c_str(), 0) != 0) {
      Fail("link", path);
    }
  }

  std::filesystem::path root_;
  const Spool& spool_;
  FileDescriptor root_fd_;
  FileDescriptor last_;
  std::string last_path_;
};

}  // namespace

PackageFacts ExtractDeb(const std::filesystem::path& deb, const DebOptions& options,
                        const std::filesystem::path& root) {
  return specs::WithContext(fmt::format("while extracting {}", deb.filename().string()), [&] {
    Spool spool(options.scratch, kSpoolMemory);
    DebContents contents = ReadDeb(deb, options, spool);
    Extractor extractor(root, spool);
    PackageFacts facts = std::move(contents.facts);
    for (DebEntry& entry : contents.entries) {
      extractor.Extract(entry);
      facts.files.push_back(std::move(entry.facts));
    }
    return facts;
  });
}

}  // namespace imgbuild::layers
