// The presets as they were written: one TOML file each, inside the program.
#pragma once

#include <span>
#include <string_view>

namespace imgbuild::specs {

struct PresetFile {
  std::string_view name;  // "jupyterlab"
  std::string_view text;  // specs/env/preset.h reads it
};

// In the order in which they are listed.
std::span<const PresetFile> PresetFiles();

}  // namespace imgbuild::specs
