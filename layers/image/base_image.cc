#include "layers/image/base_image.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "layers/image/as_oci.h"
#include "layers/image/layer_listing.h"
#include "layers/image/layer_stack.h"
#include "layers/io/file.h"
#include "layers/tree/path.h"
#include "specs/base/error.h"
#include "specs/base/key.h"
#include "specs/base/text.h"
#include "specs/oci/document.h"
#include "specs/oci/media_types.h"

namespace imgbuild::layers {
namespace {

using specs::Descriptor;
using specs::Error;

specs::Sha256 ListingKey(const Descriptor& layer, const specs::Sha256& diff_id) {
  specs::KeyBuilder key(kListingVersion);
  return key.Add("layer", layer.digest).Add("diff-id", diff_id).Finish();
}

// "PLAIN-SIZE\n", then the facts.
std::optional<LayerListing> FindListing(const Store& store, const specs::Sha256& key) {
  const std::optional<std::string> text = store.FindAction(key);
  if (!text) return std::nullopt;
  const std::size_t end = text->find('\n');
  const auto size = specs::ParseUnsigned(std::string_view(*text).substr(0, end));
  if (end == std::string::npos || !size) return std::nullopt;
  try {
    return LayerListing{ParseFacts(std::string_view(*text).substr(end + 1)), *size};
  } catch (const Error&) {
    return std::nullopt;  // it is made again
  }
}

LayerListing MakeListing(const SourceBlob& blob, const specs::Sha256& diff_id, Store& store) {
  return specs::WithContext(
      fmt::format("while reading the layer {}", blob.descriptor.digest.Oci()), [&] {
        FileSource file(blob.path);
        LayerListing listing = ListLayer(file, diff_id);
        store.PutAction(ListingKey(blob.descriptor, diff_id),
                        fmt::format("{}\n", listing.plain_size) + RenderFacts(listing.facts));
        return listing;
      });
}

std::vector<LayerListing> ReadListings(ImageOrigin& origin, Store& store,
                                       const std::vector<Descriptor>& layers,
                                       const std::vector<specs::Sha256>& diff_ids) {
  std::vector<std::optional<LayerListing>> found;
  std::vector<Descriptor> missing;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    found.push_back(FindListing(store, ListingKey(layers[i], diff_ids[i])));
    if (!found.back()) missing.push_back(layers[i]);
  }
  std::vector<SourceBlob> blobs;
  if (!missing.empty()) blobs = origin.Files(missing);
  std::vector<LayerListing> listings;
  auto blob = blobs.begin();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    listings.push_back(found[i] ? *std::move(found[i]) : MakeListing(*blob++, diff_ids[i], store));
  }
  return listings;
}

// What made each layer, as the history has it where that fits the layers.
std::vector<std::string> CreatedBy(const specs::ForeignConfig& config, std::size_t layers) {
  std::vector<std::string> texts;
  for (const specs::HistoryEntry& entry : config.history) {
    if (!entry.empty_layer) texts.push_back(entry.created_by);
  }
  if (texts.size() != layers) texts.assign(layers, "");
  return texts;
}

void RequireKnownType(const specs::DocumentLink& layer) {
  const std::string type = OciType(layer.descriptor.media_type);
  const bool known =
      type == specs::kOciLayer || type == specs::kOciLayerGzip || type == specs::kOciLayerZstd;
  if (known && !layer.foreign) return;
  throw Error("the base image has a layer that cannot be built on")
      .Found(fmt::format("{} of type {}", layer.descriptor.digest.Oci(), type.substr(0, 100)))
      .Expected("tar layers, plain or compressed with gzip or zstd");
}

}  // namespace

std::optional<std::string> BaseImage::Resolve(std::string_view path) const {
  auto place = ResolvePath(path, [this](const std::string& at) -> std::optional<std::string> {
    const FileFacts* file = File(at);
    if (file == nullptr || file->node.type != NodeType::kSymlink) return std::nullopt;
    return file->node.target;
  });
  if (place && !place->empty() && File(*place) == nullptr) return std::nullopt;
  return place;
}

const FileFacts* BaseImage::File(std::string_view path) const {
  const auto at = std::ranges::lower_bound(files.files, path, {}, &FileFacts::path);
  return at != files.files.end() && at->path == path ? &*at : nullptr;
}

const std::string* BaseImage::Content(std::string_view path) const {
  const std::optional<std::string> place = Resolve(path);
  if (!place) return nullptr;
  const auto found = files.contents.find(*place);
  return found == files.contents.end() ? nullptr : &found->second;
}

BaseImage ReadBaseImage(ImageOrigin& origin, Store& store, const specs::Platform& platform) {
  const ImageParts parts = ReadParts(origin, platform.Render());
  const SourceDocument& manifest = parts.documents.back();
  const specs::Document document =
      specs::ParseDocument(manifest.bytes, manifest.descriptor.digest.Oci());
  if (!document.config || !specs::IsConfigType(document.config->descriptor.media_type)) {
    throw Error("the base image is no image but another artifact")
        .Found(document.artifact_type.empty() ? "no configuration"
                                              : document.artifact_type.substr(0, 100));
  }
  const Descriptor& config = document.config->descriptor;
  BaseImage base{
      .root = origin.Root(),
      .manifest = manifest.descriptor,
      .config = specs::ParseForeignConfig(ReadVerifiedConfig(origin, config), config.digest.Oci()),
      .layers = {},
      .files = {}};
  if (base.config.diff_ids.size() != document.layers.size()) {
    throw Error("the base image's configuration does not fit its layers")
        .Found(specs::Count(base.config.diff_ids.size(), "diff id"))
        .Expected(fmt::format("{}", document.layers.size()));
  }
  std::vector<Descriptor> layers;
  for (const specs::DocumentLink& layer : document.layers) {
    RequireKnownType(layer);
    layers.push_back(layer.descriptor);
  }
  const std::vector<LayerListing> listings =
      ReadListings(origin, store, layers, base.config.diff_ids);
  const std::vector<std::string> created_by = CreatedBy(base.config, layers.size());
  std::vector<const PackageFacts*> facts;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    layers[i].media_type = OciType(layers[i].media_type);
    base.layers.push_back(
        {layers[i], base.config.diff_ids[i], listings[i].plain_size, created_by[i]});
    facts.push_back(&listings[i].facts);
  }
  base.files = StackLayers(facts);
  return base;
}

}  // namespace imgbuild::layers
