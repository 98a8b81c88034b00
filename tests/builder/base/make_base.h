// A base image of one layer, from the files that a test names.
#pragma once

#include <string>
#include <vector>

#include "layers/image/base_image.h"
#include "layers/image/layer_listing.h"
#include "layers/image/layer_stack.h"
#include "tests/layers/image/tar_maker.h"

namespace imgbuild::builder {

inline layers::BaseImage MakeBase(const layers::TarMaker& tar,
                                  const std::vector<std::string>& env = {}) {
  const std::string bytes = tar.Bytes();
  layers::MemorySource source(bytes);
  const layers::PackageFacts layer = layers::ListLayer(source, specs::HashOf(bytes)).facts;
  layers::BaseImage base;
  base.config.env = env;
  base.files = layers::StackLayers({&layer});
  return base;
}

// What an interpreter of that version has in its bytes.
inline std::string PythonProgram(const std::string& version) {
  return std::string(
             "\x7f"
             "ELF\0",
             5) +
         version + std::string(1, '\0');
}

inline const std::string kGlibc =
    "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n";

}  // namespace imgbuild::builder
