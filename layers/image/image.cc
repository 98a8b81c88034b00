#include "layers/image/image.h"

#include <set>

#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/oci/media_types.h"

namespace imgbuild::layers {
namespace {

using specs::Descriptor;

std::optional<std::string> ReadDocument(const Store& store, const Descriptor& descriptor) {
  auto path = store.FindBlob(descriptor.digest, descriptor.size);
  if (!path) return std::nullopt;
  try {
    std::string text = ReadFile(*path, descriptor.size);
    if (specs::HashOf(text) == descriptor.digest) return text;
  } catch (const specs::Error&) {  // gone by now
  }
  return std::nullopt;
}

Descriptor PutDocument(Store& store, std::string_view media_type, std::string_view text) {
  Descriptor descriptor{.media_type = std::string(media_type),
                        .digest = specs::HashOf(text),
                        .size = text.size(),
                        .platform = {},
                        .annotations = {}};
  if (!ReadDocument(store, descriptor)) store.PutBlob(descriptor.digest, text);
  return descriptor;
}

std::optional<PlatformImage> FindPlatform(const Store& store, const Descriptor& descriptor,
                                          const PlatformRecord& record) {
  const auto manifest = ReadDocument(store, descriptor);
  if (!manifest) return std::nullopt;
  PlatformImage found{.descriptor = descriptor,
                      .manifest = specs::ParseManifest(*manifest, descriptor.digest.Oci()),
                      .config = {},
                      .plain_sizes = record.plain_sizes,
                      .base_layers = record.base_layers};
  const auto config = ReadDocument(store, found.manifest.config);
  const std::vector<Descriptor>& layers = found.manifest.layers;
  if (!config || record.plain_sizes.size() != layers.size()) return std::nullopt;
  found.config = specs::ParseImageConfig(*config, found.manifest.config.digest.Oci());
  for (std::size_t i = record.base_layers; i < layers.size(); ++i) {
    if (!store.FindBlob(layers[i].digest, layers[i].size)) return std::nullopt;
  }
  return found;
}

}  // namespace

std::vector<Descriptor> Image::Blobs() const {
  std::vector<Descriptor> blobs;
  std::set<specs::Sha256> seen;
  auto add = [&](const Descriptor& blob) {
    if (seen.insert(blob.digest).second) blobs.push_back(blob);
  };
  for (const PlatformImage& platform : platforms) {
    for (const Descriptor& layer : platform.manifest.layers) add(layer);
    add(platform.manifest.config);
    add(platform.descriptor);
  }
  add(root);
  return blobs;
}

PlatformImage PublishPlatform(Store& store, specs::ImageConfig config,
                              const std::vector<ImageLayer>& layers,
                              const std::map<std::string, std::string>& annotations) {
  PlatformImage image;
  for (const ImageLayer& layer : layers) {
    config.diff_ids.push_back(layer.diff_id);
    config.history.push_back({.created_by = layer.created_by, .comment = {}});
    image.manifest.layers.push_back(layer.descriptor);
    image.plain_sizes.push_back(layer.plain_size);
  }
  image.manifest.config = PutDocument(store, specs::kOciConfig, specs::RenderImageConfig(config));
  image.manifest.annotations = annotations;
  image.descriptor = PutDocument(store, specs::kOciManifest, specs::RenderManifest(image.manifest));
  image.descriptor.platform = config.platform;
  image.config = std::move(config);
  return image;
}

Image PublishImage(Store& store, std::vector<PlatformImage> platforms,
                   const std::map<std::string, std::string>& annotations) {
  Image image{.root = {}, .platforms = std::move(platforms)};
  if (image.platforms.size() == 1) {
    image.root = image.platforms[0].descriptor;
    return image;
  }
  specs::ImageIndex index{.manifests = {}, .annotations = annotations};
  for (const PlatformImage& platform : image.platforms) {
    index.manifests.push_back(platform.descriptor);
  }
  image.root = PutDocument(store, specs::kOciIndex, specs::RenderImageIndex(index));
  return image;
}

namespace {

std::optional<Image> ReadImage(const Store& store, const Descriptor& root,
                               const std::vector<PlatformRecord>& records) {
  Image image{.root = root, .platforms = {}};
  std::vector<Descriptor> manifests = {root};
  if (root.media_type == specs::kOciIndex) {
    const auto text = ReadDocument(store, root);
    if (!text) return std::nullopt;
    manifests = specs::ParseImageIndex(*text, root.digest.Oci()).manifests;
  }
  if (manifests.size() != records.size()) return std::nullopt;
  for (std::size_t i = 0; i < manifests.size(); ++i) {
    auto platform = FindPlatform(store, manifests[i], records[i]);
    if (!platform) return std::nullopt;
    image.platforms.push_back(std::move(*platform));
  }
  return image;
}

}  // namespace

std::optional<Image> FindImage(const Store& store, const Descriptor& root,
                               const std::vector<PlatformRecord>& records) {
  try {
    return ReadImage(store, root, records);
  } catch (const specs::Error&) {
    return std::nullopt;
  }
}

}  // namespace imgbuild::layers
