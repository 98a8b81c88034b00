// Layers over each other, as a runtime lays them (OCI image-spec v1.1, layer.md, "Applying
// Changesets" and "Whiteouts").
#pragma once

#include <string_view>
#include <vector>

#include "layers/tree/facts.h"

namespace imgbuild::layers {

// The files that remain of what ListLayer found, bottom first, with the contents and marks of those
// that do. A path through a symbolic link of a lower layer is where that leads. Throws Error where
// such links go round.
PackageFacts StackLayers(const std::vector<const PackageFacts*>& layers);

}  // namespace imgbuild::layers
