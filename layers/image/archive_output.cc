#include "layers/image/archive_output.h"

#include <set>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "layers/image/layout.h"
#include "layers/io/archive.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "layers/tree/file_tree.h"
#include "layers/write/tar.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

class TarFile {
 public:
  explicit TarFile(const fs::path& target)
      : target_(fs::absolute(target)), file_(target_.parent_path()) {}

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

fs::path Require(const Store& store, const specs::Descriptor& blob) {
  auto path = store.FindBlob(blob.digest, blob.size);
  if (path) return *path;
  throw specs::Error(fmt::format("the cache has lost {}", blob.digest.Oci()))
      .Hint("run the build again");
}

}  // namespace

void WriteOciArchive(const Store& store, const Image& image, const fs::path& file,
                     const std::vector<std::string>& tags) {
  specs::WithContext(fmt::format("while writing {}", file.string()), [&] {
    TarFile tar(file);
    tar.Add("oci-layout", kLayoutMarker);
    tar.Add("index.json", specs::RenderImageIndex(TaggedIndex({}, image, tags)));
    for (const specs::Descriptor& blob : image.Blobs()) {
      FileSource source(Require(store, blob));
      tar.Add("blobs/sha256/" + blob.digest.Hex(), blob.size, source);
    }
    tar.Publish();
  });
}

void WriteDockerArchive(const Store& store, const PlatformImage& image, const fs::path& file,
                        const std::vector<std::string>& repo_tags) {
  specs::WithContext(fmt::format("while writing {}", file.string()), [&] {
    TarFile tar(file);
    const specs::Descriptor& config = image.manifest.config;
    const std::string config_name = config.digest.Hex() + ".json";
    std::vector<std::string> layer_names;
    for (const specs::Sha256& id : image.config.diff_ids) layer_names.push_back(id.Hex() + ".tar");
    nlohmann::ordered_json manifest = nlohmann::ordered_json::array();
    manifest.push_back({{"Config", config_name}, {"RepoTags", repo_tags}, {"Layers", layer_names}});
    tar.Add("manifest.json", manifest.dump());
    tar.Add(config_name, ReadFile(Require(store, config)));
    std::set<std::string> written;
    for (std::size_t i = 0; i < layer_names.size(); ++i) {
      if (!written.insert(layer_names[i]).second) continue;
      FileSource compressed(Require(store, image.manifest.layers[i]));
      const std::unique_ptr<Source> plain = Decompressed(compressed);
      tar.Add(layer_names[i], image.plain_sizes[i], *plain);
    }
    tar.Publish();
  });
}

}  // namespace imgbuild::layers
