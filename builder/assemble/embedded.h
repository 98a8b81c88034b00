// Files that travel inside this program and go into images.
#pragma once

#include <string_view>

#include "specs/oci/platform.h"

namespace imgbuild::builder {

// The static supervisor for that architecture (runtime/).
std::string_view SupervisorProgram(specs::Architecture architecture);

struct EmbeddedFile {
  std::string_view name;  // "main.py"
  std::string_view content;
};

// The built-in page (runtime/page): all its files.
inline constexpr std::size_t kPageFiles = 5;
const EmbeddedFile (&PageFiles())[kPageFiles];

}  // namespace imgbuild::builder
