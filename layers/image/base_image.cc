#include "layers/image/base_image.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "layers/image/as_oci.h"
#include "layers/image/layer_listing.h"
#include "layers/image/layer_stack.h"
#include "layers/io/hashing.h"
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

// "PLAIN-SIZE\n", then the facts.
std::optional<LayerListing> ParseListing(std::string_view text) {
  const std::size_t end = text.find('\n');
  const auto size = specs::ParseUnsigned(text.substr(0, end));
  if (end == std::string_view::npos || !size) return std::nullopt;
  try {
    return LayerListing{ParseFacts(text.substr(end + 1)), *size};
  } catch (const Error&) {
    return std::nullopt;  // it is made again
  }
}

std::optional<LayerListing> FindListing(const Store& store, const specs::Sha256& key) {
  const std::optional<std::string> text = store.FindAction(key);
  return text ? ParseListing(*text) : std::nullopt;
}

Error WrongLayer(const Descriptor& layer, const specs::Sha256& found, std::uint64_t size) {
  return Error(specs::ErrorKind::kVerification, "a layer is not what its image says")
      .Found(fmt::format("{}, {} bytes", found.Oci(), size))
      .Expected(fmt::format("{}, {} bytes", layer.digest.Oci(), layer.size));
}

// What a layer holds whose bytes come from anywhere: they are the right ones, or it throws.
LayerListing ListBytes(const Descriptor& layer, const specs::Sha256& diff_id, Source& bytes) {
  return specs::WithContext(fmt::format("while reading the layer {}", layer.digest.Oci()), [&] {
    BoundedSource bounded(bytes, layer.size, "the layer");
    HashingSource source(bounded);
    std::optional<LayerListing> listing;
    std::optional<Error> failure;
    try {
      listing = ListLayer(source, diff_id);
    } catch (const Error& error) {
      failure = error;
    }
    // Bytes that are wrong are the reason for whatever went wrong with them.
    NullSink rest;
    CopyAll(source, rest);
    const std::uint64_t size = source.count();
    const specs::Sha256 found = source.Finish();
    if (found != layer.digest || size != layer.size) throw WrongLayer(layer, found, size);
    if (failure) throw *std::move(failure);
    return *std::move(listing);
  });
}

// One layer of several, which may come twice in an image.
struct WantedLayer {
  Descriptor layer;
  specs::Sha256 diff_id;
  std::optional<LayerListing> listing = {};
};

void ListMissing(ImageOrigin& origin, Store& store, std::vector<WantedLayer>& wanted,
                 LayerBytes bytes) {
  std::vector<Descriptor> missing;
  std::vector<WantedLayer*> places;
  for (WantedLayer& each : wanted) {
    if (each.listing) continue;
    missing.push_back(each.layer);
    places.push_back(&each);
  }
  if (missing.empty()) return;
  const auto take = [&](std::size_t i, Source& source) {
    WantedLayer& each = *places[i];
    try {
      each.listing = ListBytes(each.layer, each.diff_id, source);
    } catch (const Error&) {
      store.RecheckBlob(each.layer.digest);  // what is damaged there is fetched again
      throw;
    }
    store.PutAction(
        ListingKey(each.layer.digest, each.diff_id),
        fmt::format("{}\n", each.listing->plain_size) + RenderFacts(each.listing->facts));
  };
  if (bytes == LayerBytes::kPassed) {
    try {
      return origin.Read(missing, take);
    } catch (const Error& error) {
      if (error.kind() == specs::ErrorKind::kInterrupted) throw;
      // What was lost or spoiled on its way may come whole as a file.
      return ListMissing(origin, store, wanted, LayerBytes::kKept);
    }
  }
  ReadFiles(origin.Files(missing), take);
}

// Of each layer of the image, in its order.
std::vector<LayerListing> ReadListings(ImageOrigin& origin, Store& store, const BaseImage& base,
                                       LayerBytes bytes) {
  std::vector<WantedLayer> wanted;
  std::vector<std::size_t> places;
  for (const ImageLayer& layer : base.layers) {
    const auto known = std::ranges::find_if(wanted, [&](const WantedLayer& each) {
      return each.layer.digest == layer.descriptor.digest;
    });
    if (known != wanted.end() && known->diff_id != layer.diff_id) {
      throw Error(specs::ErrorKind::kVerification, "one layer of the base image has two diff ids");
    }
    places.push_back(static_cast<std::size_t>(known - wanted.begin()));
    if (known != wanted.end()) continue;
    wanted.push_back({layer.descriptor, layer.diff_id,
                      FindListing(store, ListingKey(layer.descriptor.digest, layer.diff_id))});
  }
  ListMissing(origin, store, wanted, bytes);
  std::vector<LayerListing> listings;
  for (std::size_t place : places) listings.push_back(*wanted[place].listing);
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

specs::Sha256 ListingKey(const specs::Sha256& layer, const specs::Sha256& diff_id) {
  specs::KeyBuilder key(kListingVersion);
  return key.Add("layer", layer).Add("diff-id", diff_id).Finish();
}

bool AdoptListing(Store& store, const specs::Sha256& key, std::string_view text) {
  if (!ParseListing(text)) return false;
  store.PutAction(key, text);
  return true;
}

BaseImage OutlineBaseImage(ImageOrigin& origin, const specs::Platform& platform) {
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
  const std::vector<std::string> created_by = CreatedBy(base.config, document.layers.size());
  for (std::size_t i = 0; i < document.layers.size(); ++i) {
    RequireKnownType(document.layers[i]);
    Descriptor layer = document.layers[i].descriptor;
    layer.media_type = OciType(layer.media_type);
    base.layers.push_back({std::move(layer), base.config.diff_ids[i], 0, created_by[i]});
  }
  return base;
}

BaseImage ReadBaseImage(ImageOrigin& origin, Store& store, const specs::Platform& platform,
                        LayerBytes bytes) {
  BaseImage base = OutlineBaseImage(origin, platform);
  const std::vector<LayerListing> listings = ReadListings(origin, store, base, bytes);
  std::vector<const PackageFacts*> facts;
  for (std::size_t i = 0; i < listings.size(); ++i) {
    base.layers[i].plain_size = listings[i].plain_size;
    facts.push_back(&listings[i].facts);
  }
  base.files = StackLayers(facts);
  return base;
}

}  // namespace imgbuild::layers
