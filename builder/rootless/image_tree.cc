#include "builder/rootless/image_tree.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/rootless/remove_tree.h"
#include "builder/rootless/root_folder.h"
#include "builder/rootless/tree_writer.h"
#include "builder/rootless/user_namespace.h"
#include "layers/io/archive.h"
#include "layers/io/atomic_file.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"
#include "specs/base/key.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

// Unpacking that puts other files into the same tree gets another version.
constexpr std::string_view kTreeVersion = "rootless-tree/1";

// Gives back what was looked at first.
class PeekedSource : public layers::Source {
 public:
  explicit PeekedSource(layers::Source& source) : source_(source) {
    head_.resize(1024);
    std::size_t filled = 0;
    while (filled < head_.size()) {
      const std::size_t n = source_.Read(std::as_writable_bytes(std::span(head_).subspan(filled)));
      if (n == 0) break;
      filled += n;
    }
    head_.resize(filled);
  }

  // An archive without any entry, which libarchive takes for none.
  bool IsEnd() const { return head_.find_first_not_of('\0') == std::string::npos; }

  std::size_t Read(std::span<std::byte> buffer) override {
    if (given_ == head_.size()) return source_.Read(buffer);
    const std::size_t n = std::min(buffer.size(), head_.size() - given_);
    std::ranges::copy(std::as_bytes(std::span(head_).subspan(given_, n)), buffer.begin());
    given_ += n;
    return n;
  }

 private:
  layers::Source& source_;
  std::string head_;
  std::size_t given_ = 0;
};

void AddLayer(TreeWriter& writer, const fs::path& blob, const specs::Sha256& diff_id) {
  layers::FileSource file(blob);
  const std::unique_ptr<layers::Source> plain = layers::Decompressed(file);
  layers::HashingSource hashed(*plain);
  PeekedSource peeked(hashed);
  if (!peeked.IsEnd()) writer.AddLayer(peeked);
  layers::NullSink rest;
  layers::CopyAll(peeked, rest);
  const specs::Sha256 found = hashed.Finish();
  if (found == diff_id) return;
  throw specs::Error(specs::ErrorKind::kVerification, "a layer is not what its image says")
      .Found(found.Oci())
      .Expected(diff_id.Oci());
}

std::vector<fs::path> BlobsOf(const layers::Store& store, const layers::PlatformImage& image) {
  std::vector<fs::path> blobs;
  for (const specs::Descriptor& layer : image.manifest.layers) {
    const auto blob = store.FindBlob(layer.digest, layer.size);
    if (!blob) {
      throw specs::Error("a layer of the image is not in the cache").Found(layer.digest.Oci());
    }
    blobs.push_back(*blob);
  }
  if (blobs.size() != image.config.diff_ids.size()) {
    throw specs::Error("the image has not as many layers as its configuration says");
  }
  return blobs;
}

void Unpack(const std::vector<fs::path>& blobs, const layers::PlatformImage& image,
            const IdMaps& maps, const fs::path& folder) {
  RemoveAt(AT_FDCWD, folder.string());  // of a run that was killed
  if (::mkdir(folder.c_str(), 0755) != 0) throw layers::FileError("create", folder, errno);
  const TreeOwners owners = maps.IsSingle() ? TreeOwners::kWriter : TreeOwners::kAsWritten;
  const RootFolder root(folder);
  if (owners == TreeOwners::kAsWritten) {
    [[maybe_unused]] const int given = ::chown(folder.c_str(), 0, 0);
  }
  TreeWriter writer(root, owners);
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    AddLayer(writer, blobs[i], image.config.diff_ids[i]);
  }
  writer.Finish();
  layers::SyncFileSystem(folder);
}

// REQUIRES: the lock on unpacking it is held.
void MakeTree(layers::Store& store, const layers::PlatformImage& image, const IdMaps& maps,
              const specs::Sha256& key) {
  const std::vector<fs::path> blobs = BlobsOf(store, image);
  const fs::path unfinished = store.paths().UnfinishedImage(key);
  try {
    RunInNamespace(maps, [&] { Unpack(blobs, image, maps, unfinished); });
  } catch (specs::Error& error) {
    RunInNamespace(maps, [&] { RemoveAt(AT_FDCWD, unfinished.string()); });
    if (error.kind() == specs::ErrorKind::kVerification) {
      for (const specs::Descriptor& layer : image.manifest.layers) store.RecheckBlob(layer.digest);
    }
    throw std::move(error.In("while unpacking the image"));
  }
  if (::rename(unfinished.c_str(), store.paths().UnpackedImage(key).c_str()) != 0) {
    throw layers::FileError("rename", unfinished, errno);
  }
}

}  // namespace

fs::path RootlessFolder(const layers::Store& store) { return store.IndexDirectory("rootless"); }

specs::Sha256 TreeKey(const layers::PlatformImage& image, const IdMaps& maps) {
  specs::KeyBuilder key(kTreeVersion);
  key.Add("owners", maps.Render());
  for (const specs::Sha256& diff_id : image.config.diff_ids) key.Add("layer", diff_id);
  return key.Finish();
}

ImageTree FindOrMakeTree(layers::Store& store, const layers::PlatformImage& image,
                         const IdMaps& maps) {
  const specs::Sha256 key = TreeKey(image, maps);
  fs::create_directories(store.paths().UnpackedImages());
  // Files in it may have set-user-id rights, which are for who runs the image alone.
  fs::permissions(RootlessFolder(store), fs::perms::owner_all);
  const fs::path use = store.paths().UnpackedImageUse(key);
  const layers::EntryLock lock = store.Lock(layers::kUnpackingLock, key);
  const fs::path tree = store.paths().UnpackedImage(key);
  if (!fs::is_directory(tree)) MakeTree(store, image, maps, key);
  ImageTree found{.path = tree, .use = layers::EntryLock::Share(use)};
  std::error_code ignored;  // it would only go earlier
  fs::last_write_time(use, fs::file_time_type::clock::now(), ignored);
  return found;
}

bool RemoveImageTree(const layers::Store& store, const fs::path& tree) {
  const auto key = specs::Sha256::Parse(tree.stem().string());
  if (!key) return false;
  const auto lock = layers::EntryLock::Try(store.paths().Lock(layers::kUnpackingLock, *key));
  const fs::path use = store.paths().UnpackedImageUse(*key);
  auto unused = lock ? layers::EntryLock::Try(use) : std::nullopt;
  if (!unused) return false;
  // Whoever the image's user is, it is the caller, and the other users are the same subordinate
  // ids: with root in that place, these are rights over all of them.
  const IdMaps maps = GrantedMaps({.uid = ::geteuid(), .gid = ::getegid()}, {});
  const fs::path away = store.paths().UnfinishedImage(*key);
  RunInNamespace(maps, [&] {
    RemoveAt(AT_FDCWD, away.string());
    // What is half removed must not be found.
    if (tree != away && ::rename(tree.c_str(), away.c_str()) == 0) {
      RemoveAt(AT_FDCWD, away.string());
    }
  });
  struct stat status {};
  const bool left = ::lstat(tree.c_str(), &status) == 0 || ::lstat(away.c_str(), &status) == 0;
  if (!left) layers::EntryLock::Remove(*std::move(unused), use);
  return !left;
}

}  // namespace imgbuild::builder
