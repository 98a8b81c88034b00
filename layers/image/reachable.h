// What the entries of a layout's index.json lead to.
#pragma once

#include <filesystem>
#include <optional>
#include <set>

#include "specs/base/digest.h"
#include "specs/oci/layout_index.h"

namespace imgbuild::layers {

// All sha256 blobs that an entry leads to, manifests included, over manifests of any kind and
// tool. Nullopt where that cannot be told: one is missing, cannot be read or is of an unknown form.
std::optional<std::set<specs::Sha256>> Reachable(const std::filesystem::path& layout,
                                                 const specs::LayoutIndex& index);

}  // namespace imgbuild::layers
