#include "builder/assemble/artifacts.h"

#include <fmt/core.h>

#include "layers/io/archive.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
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
  explicit Unpacker(const specs::ArtifactEntry& artifact)
      : artifact_(artifact), base_(Base(artifact)) {}

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
        std::string content = layers::ReadAll(bounded);
        bytes_ += content.size();
        files_[place] =
            layers::MakeFile(std::move(content), (entry.mode & 0111) != 0 ? 0755 : 0644);
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
        ContentFile copy = found->second;
        if (copy.content.size() > kMaxUnpacked - bytes_) {
          throw specs::Error(Name() + " unpacks to more than " + specs::HumanBytes(kMaxUnpacked));
        }
        bytes_ += copy.content.size();
        files_[place] = std::move(copy);
        return;
      }
      case ArchiveType::kDevice:
      case ArchiveType::kOther:
        throw specs::Error("neither file, directory nor link: " + entry.path);
    }
  }

  const specs::ArtifactEntry& artifact_;
  const std::string base_;
  ContentTree files_;
  std::uint64_t bytes_ = 0;
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

ContentTree UnpackArtifact(const specs::ArtifactEntry& artifact, const fs::path& archive) {
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
    return artifact.extract ? Unpacker(artifact).Unpack(file.bytes())
                            : SingleFile(artifact, archive, file.bytes().size());
  });
}

}  // namespace imgbuild::builder
