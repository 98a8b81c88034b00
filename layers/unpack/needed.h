// Whether every library that an image's ELF files need is in it (ld.so(8), "The dynamic linker
// searches for them in the following order").
#pragma once

#include <compare>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "layers/tree/facts.h"

namespace imgbuild::layers {

struct MissingLibrary {
  std::string package;     // PackageFacts::name
  std::string file;        // path of the file that needs it
  std::string soname;      // what it needs
  std::string suggestion;  // a Debian package that brings it; "" where none is known

  auto operator<=>(const MissingLibrary&) const = default;
};

struct NeededOptions {
  // Directories that ld.so.conf of the image names, relative to the root, besides the default
  // ones: "usr/local/cuda/lib64".
  std::vector<std::string> directories;
};

// The needed libraries that nothing in `packages` brings, sorted. See needed.cc for what counts as
// brought, and for which files are not asked.
std::vector<MissingLibrary> CheckNeeded(std::span<const PackageFacts* const> packages,
                                        const NeededOptions& options = {});

// "libgl1" for "libGL.so.1"; "" where none is known.
std::string_view SuggestedPackage(std::string_view soname);

}  // namespace imgbuild::layers
