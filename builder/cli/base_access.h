// The image that a spec builds on: where it lies, and its layers when they are needed.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "builder/base/base_images.h"
#include "builder/cli/image_access.h"
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
  // What the lock pins, or for nullopt whatever is there now. Borrows session and spec. REQUIRES:
  // the spec builds on an image.
  OpenedBase(Session& session, const specs::Spec& spec, std::optional<specs::LockedBase> locked);

  // Throws Error, (kVerification) where the image is another than the locked one.
  const layers::BaseImage& For(const specs::Platform& platform) override;

  // Has the store have all layers of the image that are the base's. Throws Error.
  void FetchLayers(const layers::Image& image);
  // The same for one blob. False where it is none of the base's. Thread-safe.
  bool FetchLayer(const specs::Sha256& digest, const layers::Image& image);

  // Whether the digest is that of a layer of an image that For gave. Not while For is called.
  bool HasLayer(const specs::Sha256& digest) const;

  // The repository that registries may mount its layers from, as registries.conf has it; nullopt
  // for a file's image.
  std::optional<BlobHome> Home() const;

 private:
  layers::ImageOrigin& Origin();
  void RequireLocked(const specs::Descriptor& root) const;

  Session& session_;
  const std::string& name_;
  const ImagePlace place_;
  const std::optional<specs::LockedBase> locked_;
  std::mutex fetching_;
  FoundImage found_;
  std::map<specs::Platform, layers::BaseImage> images_;
};

// Null where the spec builds on Debian packages.
std::unique_ptr<OpenedBase> OpenBase(Session& session, const specs::Spec& spec,
                                     const specs::Lock& lock);

}  // namespace imgbuild::builder
