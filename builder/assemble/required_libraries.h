// Whether every shared library that files of packages need is in the image.
#pragma once

#include <string>
#include <vector>

#include "builder/assemble/package_maker.h"
#include "layers/image/base_image.h"
#include "layers/tree/file_tree.h"

namespace imgbuild::builder {

// What brings libraries besides packages. Borrowed.
struct OtherLibraries {
  const layers::BaseImage* base = nullptr;  // by the names of its files; may be null
  const layers::ContentTree& user;          // by their names, and their sonames
  const std::vector<std::string>& allowed;  // sonames that nobody has to bring
};

// Throws an Error that lists what is missing and what to do. What the user's own files need is not
// asked. CheckNeeded (layers/unpack/needed.h) says what counts as there.
void RequireLibraries(const std::vector<ReadyPackage>& packages, const OtherLibraries& others);

}  // namespace imgbuild::builder
