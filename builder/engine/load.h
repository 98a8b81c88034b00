// Images into the engine's own storage.
#pragma once

#include <string>

#include "builder/engine/engine.h"
#include "layers/image/image.h"
#include "layers/store/store.h"

namespace imgbuild::builder {

// Gives the engine an image that is in the store; what it has already it does not take again.
// `reference` ("localhost/notebook:latest") is what it is called there from now on; whatever was
// called so before goes, unless something still needs it. Returns what to run. Throws Error where
// the engine does not take it, or where the image is for several platforms and none of them is this
// machine's.
std::string LoadImage(const Engine& engine, const layers::Image& image,
                      const std::string& reference, layers::Store& store);

// The id of what `reference` names in the engine; "" for nothing.
std::string ImageId(const Engine& engine, const std::string& reference);

// Removes the image of that id if it has no name and no container.
void RemoveUnusedImage(const Engine& engine, const std::string& id);

// The one of its platforms that runs here. Throws Error where there is none.
const layers::PlatformImage& ForThisMachine(const layers::Image& image);

}  // namespace imgbuild::builder
