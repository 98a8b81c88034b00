#include "layers/image/layout.h"

#include <algorithm>
#include <cerrno>
#include <set>

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "layers/image/placed_blobs.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/oci/media_types.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::Descriptor;

bool Reflink(const fs::path& from, const fs::path& to) {
  const FileDescriptor source(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  const FileDescriptor target(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (source.valid() && target.valid() && ioctl(target.get(), FICLONE, source.get()) == 0) {
    return true;
  }
  unlink(to.c_str());
  return false;
}

void Copy(const fs::path& from, const fs::path& to) {
  const FileDescriptor source(open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!source.valid()) throw FileError("open", from, errno);
  const FileDescriptor target(open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!target.valid()) throw FileError("create", to, errno);
  constexpr std::size_t kChunk = 64u << 20;
  ssize_t copied;
  while ((copied = copy_file_range(source.get(), nullptr, target.get(), nullptr, kChunk, 0)) > 0) {
  }
  if (copied == 0) return;
  const int reason = errno;
  unlink(to.c_str());
  if (reason != EXDEV && reason != EINVAL && reason != ENOSYS && reason != EOPNOTSUPP) {
    throw FileError("write", to, reason);
  }
  FileSource reader(from);  // another file system
  FileSink writer(to);
  CopyAll(reader, writer);
  writer.Close();
}

class LayoutWriter {
 public:
  LayoutWriter(Store& store, const fs::path& directory)
      : store_(store), directory_(directory), record_(store.paths().Layout(directory)) {}

  LayoutResult Write(const Image& image, const std::vector<std::string>& tags) {
    const EntryLock lock = store_.Lock("layout", specs::HashOf(record_.string()));
    Prepare();
    if (fs::exists(record_)) placed_ = ParsePlacedBlobs(ReadFile(record_));
    const std::vector<Descriptor> blobs = image.Blobs();
    Announce(blobs);
    const PlacedBlobs before = placed_;
    for (const Descriptor& blob : blobs) Place(blob);
    const specs::ImageIndex index = WriteIndex(image, tags);
    if (placed_.size() > blobs.size()) RemoveUnreachable(index);
    if (placed_ != before) SaveRecord();
    return result_;
  }

 private:
  fs::path BlobPath(const specs::Sha256& digest) const {
    return directory_ / "blobs" / "sha256" / digest.Hex();
  }

  // The marker comes first: a run that is killed leaves a layout, or nothing but temporary files.
  void Prepare() {
    const fs::path marker = directory_ / "oci-layout";
    std::error_code error;
    if (!fs::exists(marker, error)) {
      RequireFree();
      fs::create_directories(directory_, error);
      if (error) throw FileError("create", directory_, error.value());
      WriteFileAtomically(marker, kLayoutMarker);
    }
    const fs::path blobs = directory_ / "blobs" / "sha256";
    fs::create_directories(blobs, error);
    if (error) throw FileError("create", blobs, error.value());
    RemoveTemporaries(directory_);
    RemoveTemporaries(blobs);
  }

  static bool IsTemporary(const fs::path& path) {
    return path.filename().string().starts_with(kTemporaryPrefix);
  }

  void RequireFree() const {
    std::error_code error;
    if (!fs::exists(directory_, error)) return;
    bool free = fs::is_directory(directory_, error);
    for (const auto& entry : fs::directory_iterator(directory_, error)) {
      free = free && IsTemporary(entry.path());
    }
    if (free) return;
    throw specs::Error(fmt::format("{} is there already and is no OCI layout", directory_.string()))
        .Hint("name another output with -o oci:DIRECTORY");
  }

  // Of runs that were killed: under the layout's lock nobody else has any.
  static void RemoveTemporaries(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      if (IsTemporary(entry.path())) found.push_back(entry.path());
    }
    for (const fs::path& path : found) fs::remove(path, error);
  }

  // Recorded before they are placed, so that what a killed run placed is known to later ones, which
  // remove it when no tag leads to it.
  void Announce(const std::vector<Descriptor>& blobs) {
    const std::size_t known = placed_.size();
    for (const Descriptor& blob : blobs) placed_.try_emplace(blob.digest);
    if (placed_.size() > known) SaveRecord();
  }

  void SaveRecord() const {
    AtomicFile file(record_.parent_path());
    file.Write(RenderPlacedBlobs(placed_));
    file.PublishUnsynced(record_);  // lost, it costs hashing
  }

  void Place(const Descriptor& blob) {
    const fs::path target = BlobPath(blob.digest);
    const std::optional<FileStamp> there = FileStamp::Of(target);
    if (there && there->size == blob.size) {
      auto known = placed_.find(blob.digest);
      if (known != placed_.end() && known->second == *there) return;
      if (specs::HashOf(MappedFile(target).bytes()) == blob.digest) {
        placed_[blob.digest] = *there;
        return;
      }
    }
    const auto source = store_.FindBlob(blob.digest, blob.size);
    if (!source) {
      throw specs::Error(fmt::format("the cache has lost {}", blob.digest.Oci()))
          .Hint("run the build again");
    }
    const fs::path temporary =
        target.parent_path() / fmt::format("{}{}", kTemporaryPrefix, getpid());
    unlink(temporary.c_str());
    if (!Reflink(*source, temporary) &&
        (geteuid() == 0 || link(source->c_str(), temporary.c_str()) != 0)) {
      Copy(*source, temporary);
    }
    if (rename(temporary.c_str(), target.c_str()) != 0) throw FileError("create", target, errno);
    placed_[blob.digest] = FileStamp::Of(target).value_or(FileStamp());
    ++result_.blobs_placed;
    result_.bytes_placed += blob.size;
  }

  specs::ImageIndex WriteIndex(const Image& image, const std::vector<std::string>& tags) {
    const fs::path path = directory_ / "index.json";
    std::string before;
    specs::ImageIndex index;
    if (fs::exists(path)) {
      before = ReadFile(path);
      index = specs::ParseImageIndex(before, path.string());
    }
    index = TaggedIndex(std::move(index), image, tags);
    const std::string after = specs::RenderImageIndex(index);
    if (after != before) WriteFileAtomically(path, after);
    return index;
  }

  // Adds what a manifest or index leads to. What cannot be read keeps nothing else alive.
  void Reach(const Descriptor& root, std::set<specs::Sha256>& reached) const {
    if (!reached.insert(root.digest).second) return;
    const fs::path path = BlobPath(root.digest);
    if (!fs::exists(path)) return;
    if (root.media_type == specs::kOciIndex) {
      for (const Descriptor& manifest :
           specs::ParseImageIndex(ReadFile(path), path.string()).manifests) {
        Reach(manifest, reached);
      }
    } else if (root.media_type == specs::kOciManifest) {
      const specs::Manifest manifest = specs::ParseManifest(ReadFile(path), path.string());
      reached.insert(manifest.config.digest);
      for (const Descriptor& layer : manifest.layers) reached.insert(layer.digest);
    }
  }

  void RemoveUnreachable(const specs::ImageIndex& index) {
    std::set<specs::Sha256> reached;
    for (const Descriptor& root : index.manifests) Reach(root, reached);
    for (auto blob = placed_.begin(); blob != placed_.end();) {
      if (reached.contains(blob->first)) {
        ++blob;
        continue;
      }
      unlink(BlobPath(blob->first).c_str());
      blob = placed_.erase(blob);
    }
  }

  Store& store_;
  const fs::path directory_;
  const fs::path record_;
  PlacedBlobs placed_;
  LayoutResult result_;
};

}  // namespace

specs::ImageIndex TaggedIndex(specs::ImageIndex index, const Image& image,
                              const std::vector<std::string>& tags) {
  const std::string name(specs::kAnnotationRefName);
  std::erase_if(index.manifests, [&](const Descriptor& entry) {
    auto found = entry.annotations.find(name);
    return found != entry.annotations.end() &&
           std::find(tags.begin(), tags.end(), found->second) != tags.end();
  });
  for (const std::string& tag : tags) {
    Descriptor entry = image.root;
    entry.annotations[name] = tag;
    index.manifests.push_back(std::move(entry));
  }
  auto tag_of = [&](const Descriptor& entry) {
    auto found = entry.annotations.find(name);
    return found == entry.annotations.end() ? std::string() : found->second;
  };
  std::stable_sort(index.manifests.begin(), index.manifests.end(),
                   [&](const Descriptor& a, const Descriptor& b) { return tag_of(a) < tag_of(b); });
  return index;
}

LayoutResult WriteLayout(Store& store, const Image& image, const fs::path& directory,
                         const std::vector<std::string>& tags) {
  return specs::WithContext(fmt::format("while writing {}", directory.string()),
                            [&] { return LayoutWriter(store, directory).Write(image, tags); });
}

}  // namespace imgbuild::layers
