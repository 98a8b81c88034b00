#include "layers/image/archive_output.h"

#include <memory>
#include <set>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "layers/image/image_blobs.h"
#include "layers/image/layout.h"
#include "layers/io/archive.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "layers/tree/file_tree.h"
#include "layers/write/tar.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

fs::path Absolute(const fs::path& path) {
  std::error_code error;
  fs::path absolute = fs::absolute(path, error);
  if (error) throw FileError("find", path, error.value());
  return absolute;
}

class TarFile {
 public:
  explicit TarFile(const fs::path& target)
      : target_(Absolute(target)), file_(target_.parent_path()) {}

  void Add(std::string_view path, std::string_view content) {
    Head(path, content.size());
    file_.Write(content);
    Pad(content.size());
  }

  // REQUIRES: `content` gives exactly `size` bytes; anything else is an Error.
  void Add(std::string_view path, std::uint64_t size, Source& content) {
    Head(path, size);
    BoundedSource bounded(content, size, std::string(path));
    if (CopyAll(bounded, file_) != size) {
      throw specs::Error(fmt::format("{} is shorter than its manifest says", path));
    }
    Pad(size);
  }

  void Publish() {
    file_.Write(TarEnd());
    file_.Publish(target_);
  }

 private:
  void Head(std::string_view path, std::uint64_t size) {
    std::string header;
    AppendTarHeader(header, path, {.type = NodeType::kFile, .mtime = kFixedTime, .size = size});
    file_.Write(header);
  }

  void Pad(std::uint64_t size) { file_.Write(std::string(TarPadding(size), '\0')); }

  fs::path target_;
  AtomicFile file_;
};

// While it is copied it is hashed: nobody will read the archive's blobs before they are used.
void AddBlob(TarFile& tar, const std::string& path, Store& store, const specs::Descriptor& blob) {
  FileSource file(RequireBlob(store, blob));
  HashingSource source(file);
  tar.Add(path, blob.size, source);
  if (source.Finish() != blob.digest) throw DamagedBlob(store, blob.digest);
}

// Its plain bytes under their diff id.
void AddPlainLayer(TarFile& tar, Store& store, const specs::Descriptor& layer,
                   const specs::Sha256& diff_id, std::uint64_t plain_size) {
  FileSource file(RequireBlob(store, layer));
  HashingSource compressed(file);
  try {
    const std::unique_ptr<Source> decompressed = Decompressed(compressed);
    HashingSource plain(*decompressed);
    tar.Add(diff_id.Hex() + ".tar", plain_size, plain);
    NullSink rest;
    CopyAll(compressed, rest);
    if (compressed.Finish() == layer.digest && plain.Finish() == diff_id) return;
  } catch (const specs::Error&) {
    if (store.RecheckBlob(layer.digest)) throw;  // it is not the blob's fault
  }
  throw DamagedBlob(store, layer.digest);
}

void RequireLayers(const PlatformImage& image) {
  const std::size_t layers = image.manifest.layers.size();
  if (image.config.diff_ids.size() == layers && image.plain_sizes.size() == layers) return;
  throw specs::Error("the image's manifest and configuration do not fit each other")
      .Found(fmt::format("{}, {}, {}", specs::Count(layers, "layer"),
                         specs::Count(image.config.diff_ids.size(), "diff id"),
                         specs::Count(image.plain_sizes.size(), "size")))
      .Expected("one diff id and size for each layer");
}

}  // namespace

void WriteOciArchive(Store& store, const Image& image, const fs::path& file,
                     const std::vector<std::string>& tags) {
  specs::WithContext(fmt::format("while writing {}", file.string()), [&] {
    TarFile tar(file);
    tar.Add("oci-layout", kLayoutMarker);
    tar.Add("index.json", specs::RenderLayoutIndex(TaggedIndex({}, image, tags)));
    for (const specs::Descriptor& blob : image.Blobs()) {
      AddBlob(tar, "blobs/sha256/" + blob.digest.Hex(), store, blob);
    }
    tar.Publish();
  });
}

void WriteDockerArchive(Store& store, const PlatformImage& image, const fs::path& file,
                        const std::vector<std::string>& repo_tags) {
  specs::WithContext(fmt::format("while writing {}", file.string()), [&] {
    RequireLayers(image);
    TarFile tar(file);
    const specs::Descriptor& config = image.manifest.config;
    const std::string config_name = config.digest.Hex() + ".json";
    std::vector<std::string> layer_names;
    for (const specs::Sha256& id : image.config.diff_ids) layer_names.push_back(id.Hex() + ".tar");
    nlohmann::ordered_json manifest = nlohmann::ordered_json::array();
    manifest.push_back({{"Config", config_name}, {"RepoTags", repo_tags}, {"Layers", layer_names}});
    tar.Add("manifest.json", manifest.dump());
    AddBlob(tar, config_name, store, config);
    std::set<specs::Sha256> written;
    for (std::size_t i = 0; i < layer_names.size(); ++i) {
      const specs::Sha256& diff_id = image.config.diff_ids[i];
      if (!written.insert(diff_id).second) continue;
      AddPlainLayer(tar, store, image.manifest.layers[i], diff_id, image.plain_sizes[i]);
    }
    tar.Publish();
  });
}

}  // namespace imgbuild::layers
