// One digest for a directory and all below it.
#pragma once

#include <filesystem>

#include "specs/base/digest.h"

namespace imgbuild::layers {

// Of paths, kinds, execute rights, contents and link targets below `root`; times and owners do not
// matter. Throws Error where something cannot be read.
specs::Sha256 TreeDigest(const std::filesystem::path& root);

}  // namespace imgbuild::layers
