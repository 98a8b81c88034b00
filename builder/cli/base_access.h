// The image that a spec builds on: where it lies, and its layers when they are needed.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "builder/assemble/shared_cache.h"
#include "builder/base/base_images.h"
#include "builder/cli/image_access.h"
#include "builder/cli/registry_access.h"
#include "builder/cli/session.h"
#include "builder/share/cache_place.h"
#include "layers/image/image.h"
#include "specs/env/lock.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

// Nothing is opened before it is needed, and what the cache has of a locked image is not asked for
// again. Configuration and certificates of registries are those of registries.conf and certs.d.
class OpenedBase : public BaseImages {
 public:
  // What the lock pins, or for nullopt whatever is there now. `bytes` says whether layers that have
  // to be read stay in the store, `registry` how a registry is reached. Borrows session and spec.
  // REQUIRES: the spec builds on an image.
  OpenedBase(Session& session, const specs::Spec& spec, std::optional<specs::LockedBase> locked,
             layers::LayerBytes bytes, RegistryOptions registry);

  // From now on asked for what lies in layers before they are read. Borrowed; null: nobody is.
  void UseShared(SharedCache* shared) { shared_ = shared; }
  // From now on what lies in layers is looked for and kept in that store. Borrowed.
  void ListIn(layers::Store& store) { listings_ = &store; }

  // Both throw Error, (kVerification) where the image is another than the locked one.
  const layers::BaseImage& For(const specs::Platform& platform) override;
  const layers::BaseImage& Outline(const specs::Platform& platform) override;

  // Has the store have all layers of the image that are the base's. Throws Error.
  void FetchLayers(const layers::Image& image);
  // The same for one blob. False where it is none of the base's. Thread-safe.
  bool FetchLayer(const specs::Sha256& digest, const layers::Image& image);

  // Whether the digest is that of a layer of an image that was outlined. Not while one is.
  bool HasLayer(const specs::Sha256& digest) const;

 private:
  layers::ImageOrigin& Origin();
  layers::Store& listings() { return listings_ != nullptr ? *listings_ : session_.store(); }
  // Of the locked image in the store, or else of the image where it lies.
  template <typename Read>
  layers::BaseImage ReadAnywhere(Read&& read);
  void AdoptListings(const layers::BaseImage& outline);
  void RequireLocked(const specs::Descriptor& root) const;

  Session& session_;
  const std::string& name_;
  const ImagePlace place_;
  const std::optional<specs::LockedBase> locked_;
  const layers::LayerBytes bytes_;
  const RegistryOptions registry_;
  std::mutex fetching_;
  FoundImage found_;
  SharedCache* shared_ = nullptr;
  layers::Store* listings_ = nullptr;  // null: the session's
  std::map<specs::Platform, layers::BaseImage> outlines_;
  std::map<specs::Platform, layers::BaseImage> images_;
};

// Null where the spec builds on Debian packages.
std::unique_ptr<OpenedBase> OpenBase(Session& session, const specs::Spec& spec,
                                     const specs::Lock& lock, layers::LayerBytes bytes,
                                     const RegistryOptions& registry);

// The repository of a registry that the spec's image may be mounted from, as registries.conf has
// it; nullopt for a file's image, and for none.
std::optional<BlobHome> HomeOfBase(const specs::Spec& spec);

}  // namespace imgbuild::builder
