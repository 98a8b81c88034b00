// Modes and owners of well-known directories (FHS 3.0; Debian policy 9.1): the same in every
// image, whatever packages are in it.
#pragma once

#include <optional>
#include <string_view>

#include "layers/tree/node.h"

namespace imgbuild::layers {

// The directory's whole node where the fixed table knows it.
std::optional<Node> DirectoryRule(std::string_view path);

}  // namespace imgbuild::layers
