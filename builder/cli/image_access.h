// From a place to the image there, and from an image to its place.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "builder/cli/image_place.h"
#include "builder/cli/registry_access.h"
#include "builder/cli/session.h"
#include "builder/registry/registry.h"
#include "builder/registry/registry_origin.h"
#include "layers/image/image_origin.h"

namespace imgbuild::builder {

// An image that was found, and the name that it goes by.
struct FoundImage {
  std::unique_ptr<layers::ImageOrigin> origin;
  RegistryOrigin* registry = nullptr;  // `origin`, where it is one
  std::string tag;                     // "" where it has none
  std::string full_name;               // "registry.example/team/app:v1"; "" where there is none
};

// Throws Error where there is no such image, as far as that can be told without the network.
FoundImage OpenImage(Session& session, const ImagePlace& place, const RegistryOptions& options);

// The repository as it is read: mirrors first, with the credentials that there are for each.
std::vector<std::unique_ptr<Registry>> OpenForReading(Session& session,
                                                      const specs::Reference& reference,
                                                      const RegistryOptions& options);

// The image of a place of that kind, as registries take it: plain layers of a docker-archive are
// compressed, once more where the cache had one of them damaged. `platform` as for
// layers::ReadImage.
layers::ImageSource ReadForRegistry(Session& session, PlaceKind kind, layers::ImageOrigin& origin,
                                    const std::string& platform);

// Gives `push` what `read` gives. Where something of it turns out to be damaged in the cache, it is
// removed there, and both are asked once more.
void ReadAndPush(Session& session, const std::function<layers::ImageSource()>& read,
                 const std::function<void(const layers::ImageSource&)>& push);

// Throws Error where nothing can be written to `place`, which is not a registry's. Changes nothing.
void CheckPlace(const ImagePlace& place);

// Writes it there, under the place's own name. REQUIRES: not a registry's.
void WriteImage(Session& session, const ImagePlace& place, const layers::ImageSource& image);

// `place` with a name, where it has none that of the image that was found.
ImagePlace WithName(ImagePlace place, const FoundImage& found);

}  // namespace imgbuild::builder
