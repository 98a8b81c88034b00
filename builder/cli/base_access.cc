#include "builder/cli/base_access.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "builder/host/environment.h"
#include "builder/registry/registry_config.h"
#include "layers/image/store_origin.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::ErrorKind;

constexpr char kMove[] = "to build on what is there now: imgbuild lock --upgrade system.image";

ImagePlace PlaceOf(const std::string& image, const std::optional<specs::LockedBase>& locked) {
  ImagePlace place =
      ParsePlace(specs::BaseImagePath(image) == std::string::npos ? "docker://" + image : image);
  if (locked && place.kind == PlaceKind::kRegistry) place.reference.digest = locked->digest;
  return place;
}

specs::Descriptor RootOf(const specs::LockedBase& locked) {
  return {.media_type = locked.media_type,
          .digest = locked.digest,
          .size = locked.size,
          .platform = {},
          .annotations = {}};
}

// The base's layers among those of the image, each once.
std::vector<specs::Descriptor> BaseLayers(const layers::Image& image) {
  std::vector<specs::Descriptor> layers;
  for (const layers::PlatformImage& platform : image.platforms) {
    for (std::size_t i = 0; i < platform.base_layers; ++i) {
      const specs::Descriptor& layer = platform.manifest.layers[i];
      if (std::ranges::find(layers, layer.digest, &specs::Descriptor::digest) == layers.end()) {
        layers.push_back(layer);
      }
    }
  }
  return layers;
}

// From files that are elsewhere into the store.
void PutInStore(const std::vector<layers::SourceBlob>& blobs, layers::Store& store) {
  for (const layers::SourceBlob& blob : blobs) {
    const specs::Descriptor& descriptor = blob.descriptor;
    if (store.FindBlob(descriptor.digest, descriptor.size)) continue;
    layers::FileSource file(blob.path);
    layers::HashingSource source(file);
    const std::unique_ptr<layers::AtomicFile> target = store.NewFile();
    layers::CopyAll(source, *target);
    const specs::Sha256 found = source.Finish();
    if (found != descriptor.digest) {
      throw Error(ErrorKind::kVerification, "a layer of the base image is damaged")
          .Found(found.Oci())
          .Expected(descriptor.digest.Oci());
    }
    store.PutBlob(descriptor.digest, *target);
  }
}

}  // namespace

OpenedBase::OpenedBase(Session& session, const specs::Spec& spec,
                       std::optional<specs::LockedBase> locked, layers::LayerBytes bytes,
                       RegistryOptions registry)
    : session_(session),
      name_(*spec.system.image),
      place_(PlaceOf(name_, locked)),
      locked_(std::move(locked)),
      bytes_(bytes),
      registry_(registry) {}

layers::ImageOrigin& OpenedBase::Origin() {
  if (!found_.origin) {
    found_ = OpenImage(session_, place_, registry_);
    RequireLocked(found_.origin->Root());
  }
  return *found_.origin;
}

void OpenedBase::RequireLocked(const specs::Descriptor& root) const {
  if (!locked_ || root.digest == locked_->digest) return;
  throw Error(ErrorKind::kVerification, fmt::format("{} is not the image that is locked", name_))
      .Found(root.digest.Oci())
      .Expected(locked_->digest.Oci())
      .Hint(kMove);
}

template <typename Read>
layers::BaseImage OpenedBase::ReadAnywhere(Read&& read) {
  return specs::WithContext(fmt::format("while reading the base image {}", name_), [&] {
    if (locked_) {
      try {
        layers::StoreOrigin cached(session_.store(), RootOf(*locked_));
        return read(cached);
      } catch (const Error&) {  // not whole there: it is asked for
      }
    }
    return read(Origin());
  });
}

const layers::BaseImage& OpenedBase::Outline(const specs::Platform& platform) {
  const auto known = outlines_.find(platform);
  if (known != outlines_.end()) return known->second;
  layers::BaseImage outline = ReadAnywhere(
      [&](layers::ImageOrigin& origin) { return layers::OutlineBaseImage(origin, platform); });
  return outlines_.emplace(platform, std::move(outline)).first->second;
}

// What others found in layers that nobody read here.
void OpenedBase::AdoptListings(const layers::BaseImage& outline) {
  if (shared_ == nullptr) return;
  std::vector<specs::Sha256> missing;
  for (const layers::ImageLayer& layer : outline.layers) {
    const specs::Sha256 key = layers::ListingKey(layer.descriptor.digest, layer.diff_id);
    if (!listings().FindAction(key)) missing.push_back(key);
  }
  const std::vector<std::optional<std::string>> found = shared_->FindListings(missing);
  for (std::size_t i = 0; i < missing.size(); ++i) {
    if (found[i]) (void)layers::AdoptListing(listings(), missing[i], *found[i]);
  }
}

const layers::BaseImage& OpenedBase::For(const specs::Platform& platform) {
  const auto known = images_.find(platform);
  if (known != images_.end()) return known->second;
  AdoptListings(Outline(platform));
  layers::BaseImage image = ReadAnywhere([&](layers::ImageOrigin& origin) {
    return layers::ReadBaseImage(origin, listings(), platform, bytes_);
  });
  return images_.emplace(platform, std::move(image)).first->second;
}

void OpenedBase::FetchLayers(const layers::Image& image) {
  std::vector<specs::Descriptor> missing;
  for (specs::Descriptor& layer : BaseLayers(image)) {
    if (!session_.store().FindBlob(layer.digest, layer.size)) missing.push_back(std::move(layer));
  }
  if (missing.empty()) return;
  specs::WithContext(fmt::format("while fetching layers of the base image {}", name_),
                     [&] { PutInStore(Origin().Files(missing), session_.store()); });
}

bool OpenedBase::FetchLayer(const specs::Sha256& digest, const layers::Image& image) {
  const std::vector<specs::Descriptor> layers = BaseLayers(image);
  const auto layer = std::ranges::find(layers, digest, &specs::Descriptor::digest);
  if (layer == layers.end()) return false;
  const std::lock_guard lock(fetching_);
  PutInStore(Origin().Files({*layer}), session_.store());
  return true;
}

bool OpenedBase::HasLayer(const specs::Sha256& digest) const {
  return std::ranges::any_of(outlines_, [&](const auto& image) {
    return std::ranges::any_of(image.second.layers, [&](const layers::ImageLayer& layer) {
      return layer.descriptor.digest == digest;
    });
  });
}

std::optional<BlobHome> HomeOfBase(const specs::Spec& spec) {
  if (!spec.system.image) return std::nullopt;
  const ImagePlace place = PlaceOf(*spec.system.image, std::nullopt);
  if (place.kind != PlaceKind::kRegistry) return std::nullopt;
  const specs::Reference& reference = place.reference;
  try {
    const Endpoint endpoint = RegistryConfig::OfHost(Environment::OfProcess())
                                  .ForWriting(reference.registry, reference.repository);
    return BlobHome{endpoint.host, endpoint.repository};
  } catch (const Error&) {  // a base that the cache has may lie where nobody may go
    return std::nullopt;
  }
}

std::unique_ptr<OpenedBase> OpenBase(Session& session, const specs::Spec& spec,
                                     const specs::Lock& lock, layers::LayerBytes bytes,
                                     const RegistryOptions& registry) {
  if (!spec.system.image) return nullptr;
  return std::make_unique<OpenedBase>(session, spec, lock.base, bytes, registry);
}

}  // namespace imgbuild::builder
