// One file of specs/presets as a value; specs/presets/README.md has its format.
#pragma once

#include "specs/env/preset.h"
#include "specs/presets/preset_files.h"

namespace imgbuild::specs {

// Throws Error for a file that is not as the format says: a mistake of ours.
ServicePreset ReadPreset(const PresetFile& file);

}  // namespace imgbuild::specs
