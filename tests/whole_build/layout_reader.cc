#include "tests/whole_build/layout_reader.h"

#include <set>
#include <stdexcept>

#include <fmt/format.h>

#include "layers/io/file.h"
#include "specs/base/digest.h"
#include "specs/oci/media_types.h"

namespace imgbuild::whole_build {
namespace {

namespace fs = std::filesystem;

void Require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

class Reader {
 public:
  explicit Reader(const fs::path& layout) : layout_(layout) {
    for (const auto& item : fs::recursive_directory_iterator(layout)) {
      if (!item.is_regular_file()) continue;
      image_.files[fs::relative(item.path(), layout)] = layers::ReadFile(item.path());
    }
  }

  ReadImage Read() {
    Require(image_.files.at("oci-layout") == R"({"imageLayoutVersion":"1.0.0"})", "oci-layout");
    const specs::ImageIndex index =
        specs::ParseImageIndex(image_.files.at("index.json"), "index.json");
    std::set<std::string> roots;
    for (const specs::Descriptor& root : index.manifests) {
      Require(root.annotations.contains("org.opencontainers.image.ref.name"), "a root without tag");
      if (roots.insert(root.digest.Hex()).second) ReadRoot(root);
    }
    Require(used_.size() + 2 == image_.files.size(), "the layout has files that nothing names");
    return std::move(image_);
  }

 private:
  const std::string& Blob(const specs::Descriptor& descriptor) {
    const std::string name = "blobs/sha256/" + descriptor.digest.Hex();
    Require(image_.files.contains(name), "there is no " + name);
    const std::string& bytes = image_.files.at(name);
    Require(bytes.size() == descriptor.size, "the size of " + name);
    Require(specs::HashOf(bytes) == descriptor.digest, "the digest of " + name);
    used_.insert(name);
    return bytes;
  }

  void ReadRoot(const specs::Descriptor& root) {
    if (root.media_type == specs::kOciManifest) return ReadManifest(root);
    Require(root.media_type == specs::kOciIndex, "the media type " + root.media_type);
    for (const auto& manifest : specs::ParseImageIndex(Blob(root), "index").manifests) {
      Require(manifest.platform.has_value(), "a manifest without platform");
      ReadManifest(manifest);
      Require(image_.platforms.back().config.platform == *manifest.platform, "the platform");
    }
  }

  void ReadManifest(const specs::Descriptor& descriptor) {
    ReadPlatform platform;
    platform.manifest = specs::ParseManifest(Blob(descriptor), "manifest");
    platform.config = specs::ParseImageConfig(Blob(platform.manifest.config), "config");
    const auto& diff_ids = platform.config.diff_ids;
    Require(diff_ids.size() == platform.manifest.layers.size(), "the number of diff ids");
    Require(diff_ids.size() == platform.config.history.size(), "the length of the history");
    for (std::size_t i = 0; i < diff_ids.size(); ++i) {
      platform.layers.push_back(Layer(platform.manifest.layers[i]));
      Require(specs::HashOf(platform.layers.back().tar) == diff_ids[i], "a diff id");
    }
    image_.platforms.push_back(std::move(platform));
  }

  ReadLayer Layer(const specs::Descriptor& descriptor) {
    ReadLayer layer;
    layers::MemorySource bytes(Blob(descriptor));
    layer.tar = layers::ReadAll(*layers::Decompressed(bytes));
    layers::ArchiveReader reader(layer.tar, layers::ArchiveFormat::kTar);
    while (auto head = reader.Next()) {
      std::string content = layers::ReadAll(reader.Data());
      layer.entries.push_back({*std::move(head), std::move(content)});
    }
    return layer;
  }

  fs::path layout_;
  ReadImage image_;
  std::set<std::string> used_;
};

std::string Plain(const std::string& path) {
  return path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
}

}  // namespace

std::map<std::string, Entry> ReadPlatform::Union() const {
  std::map<std::string, Entry> all;
  for (const ReadLayer& layer : layers) {
    std::set<std::string> here;
    for (const Entry& entry : layer.entries) {
      const std::string path = Plain(entry.head.path);
      Require(here.insert(path).second, path + " is in one layer twice");
      const std::string parent = path.substr(0, path.find('/') == path.npos ? 0 : path.rfind('/'));
      Require(parent.empty() || (here.contains(parent) &&
                                 all.at(parent).head.type == layers::ArchiveType::kDirectory),
              path + " comes before its directory in its layer");
      all[path] = entry;
    }
  }
  return all;
}

ReadImage ReadLayout(const fs::path& layout) { return Reader(layout).Read(); }

}  // namespace imgbuild::whole_build
