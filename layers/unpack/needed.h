// Whether every library that an image's ELF files need is in it (System V gABI, chapter 5,
// "Shared Object Dependencies").
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
  // Sonames that come from elsewhere: a base image whose files are in no package.
  std::vector<std::string> provided;
};

// The needed libraries that nothing in `packages` brings, sorted, each file and soname once. A
// library counts as brought when any package has a file of its name or a shared object of its
// soname for the same machine, wherever that lies: needed.cc says why, and which files and
// libraries are not asked for.
std::vector<MissingLibrary> CheckNeeded(std::span<const PackageFacts* const> packages,
                                        const NeededOptions& options = {});

// "libgl1" for "libGL.so.1"; "" where none is known.
std::string_view SuggestedPackage(std::string_view soname);

}  // namespace imgbuild::layers
