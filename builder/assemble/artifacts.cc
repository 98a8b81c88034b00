#include "builder/assemble/artifacts.h"

#include <fmt/core.h>

#include "layers/io/archive.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "layers/store/cache_folder.h"
#include "layers/tree/path.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using layers::ArchiveEntry;
using layers::ArchiveType;
using layers::ContentFile;
using layers::ContentTree;

constexpr std::uint64_t kMaxUnpacked = 8ull << 30;
constexpr std::uint64_t kMostHeld = 64u << 20;  // in memory, of one archive
constexpr std::uint64_t kSmall = 64u << 10;     // files below that, as long as there is room

std::string Base(const specs::ArtifactEntry& artifact) { return artifact.to.substr(1); }

// "" for what stripping leaves nothing of.
std::string StripComponents(std::string path, std::uint32_t count) {
  for (; count > 0; --count) {
    const std::size_t slash = path.find('/');
    if (slash == std::string::npos) return "";
    path.erase(0, slash + 1);
  }
  return path;
}

class Unpacker {
 public:
  Unpacker(const specs::ArtifactEntry& artifact, layers::ScratchFolder& scratch)
      : artifact_(artifact), base_(Base(artifact)), scratch_(scratch) {}

  ContentTree Unpack(std::string_view archive) {
    layers::ArchiveReader reader(archive, layers::ArchiveFormat::kAny);
    while (std::optional<ArchiveEntry> entry = reader.Next()) Add(*entry, reader.Data());
    return std::move(files_);
  }

 private:
  std::string Name() const { return RedactUrl(artifact_.url); }

  std::string PlaceOf(const std::string& path) const {
    const std::optional<std::string> canonical = layers::CanonicalPath(path);
    if (!canonical) throw specs::Error(fmt::format("the archive has an unsafe path: {}", path));
    const std::string stripped = StripComponents(*canonical, artifact_.strip);
    if (stripped.empty()) return "";
    return base_.empty() ? stripped : base_ + "/" + stripped;
  }

  void Add(const ArchiveEntry& entry, layers::Source& data) {
    const std::string place = PlaceOf(entry.path);
    if (place.empty()) return;
    switch (entry.type) {
      case ArchiveType::kDirectory:
        files_[place] = layers::MakeDirectory();
        return;
      case ArchiveType::kFile: {
        layers::BoundedSource bounded(data, kMaxUnpacked - bytes_, Name());
        const std::uint32_t mode = (entry.mode & 0111) != 0 ? 0755 : 0644;
        const bool small = entry.size && *entry.size < kSmall && *entry.size <= kMostHeld - held_;
        ContentFile file =
            small ? layers::MakeFile(layers::ReadAll(bounded), mode) : Spill(bounded, mode);
        held_ += file.content.size();
        bytes_ += file.node.size;
        files_[place] = std::move(file);
        return;
      }
      case ArchiveType::kSymlink:
        files_[place] = layers::MakeSymlink(entry.target);
        return;
      case ArchiveType::kHardlink: {
        auto found = files_.find(PlaceOf(entry.target));
        if (found == files_.end() || found->second.node.type != layers::NodeType::kFile) {
          throw specs::Error("a hard link without its file: " + entry.path);
        }
        ContentFile& original = found->second;
        if (original.node.size > kMaxUnpacked - bytes_) {
          throw specs::Error(Name() + " unpacks to more than " + specs::HumanBytes(kMaxUnpacked));
        }
        if (original.content.size() > kMostHeld - held_) MoveToDisk(original);
        held_ += original.content.size();
        bytes_ += original.node.size;
        ContentFile copy = original;
        files_[place] = std::move(copy);
        return;
      }
      case ArchiveType::kDevice:
      case ArchiveType::kOther:
        throw specs::Error("neither file, directory nor link: " + entry.path);
    }
  }

  ContentFile Spill(layers::Source& data, std::uint32_t mode) {
    ContentFile file;
    file.node.mode = mode;
    file.node.mtime = layers::kFixedTime;
    const fs::path path = scratch_.NewPath();
    layers::InCache(path, [&] {
      layers::HashingSource content(data);
      layers::FileSink sink(path, 0600);
      layers::CopyAll(content, sink);
      sink.Close();
      file.node.size = content.count();
      file.node.digest = content.Finish();
    });
    file.disk_path = path.string();
    return file;
  }

  void MoveToDisk(ContentFile& file) {
    layers::MemorySource content(file.content);
    const std::uint64_t held = file.content.size();
    file = Spill(content, file.node.mode);
    held_ -= held;
  }

  const specs::ArtifactEntry& artifact_;
  const std::string base_;
  layers::ScratchFolder& scratch_;
  ContentTree files_;
  std::uint64_t bytes_ = 0;
  std::uint64_t held_ = 0;  // of these, in memory
};

}  // namespace

specs::LockedPackage ArtifactPackage(const specs::ArtifactEntry& artifact) {
  specs::LockedPackage package;
  package.name = artifact.to;
  package.file = specs::UrlFileName(artifact.url);
  package.sha256 = artifact.sha256;
  package.source = specs::kArtifactSource;
  package.path = artifact.url;
  return package;
}

namespace {

ContentTree SingleFile(const specs::ArtifactEntry& artifact, const fs::path& path,
                       std::uint64_t size) {
  ContentFile content;
  content.node.mode = artifact.mode;
  content.node.mtime = layers::kFixedTime;
  content.node.size = size;
  content.node.digest = artifact.sha256;
  content.disk_path = path.string();
  return {{Base(artifact), std::move(content)}};
}

}  // namespace

ContentTree UnpackArtifact(const specs::ArtifactEntry& artifact, const fs::path& archive,
                           layers::ScratchFolder& scratch) {
  return specs::WithContext(fmt::format("while unpacking {}", RedactUrl(artifact.url)), [&] {
    const layers::MappedFile file(archive);
    const specs::Sha256 found = specs::HashOf(file.bytes());
    if (found != artifact.sha256) {
      throw specs::Error(specs::ErrorKind::kVerification,
                         "the file in the cache is not the one that was fetched")
          .Found("SHA-256 " + found.Hex())
          .Expected("SHA-256 " + artifact.sha256.Hex())
          .Hint("check disk and memory of this machine");
    }
    return artifact.extract ? Unpacker(artifact, scratch).Unpack(file.bytes())
                            : SingleFile(artifact, archive, file.bytes().size());
  });
}

}  // namespace imgbuild::builder
