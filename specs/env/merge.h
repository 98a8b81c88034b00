// Spec documents laid over each other: `extends`, the local overlay and --set.
#pragma once

#include <string_view>

#include "specs/base/toml.h"
#include "specs/env/table_reader.h"

namespace imgbuild::specs {

// `over` laid over `base`: tables merge, everything else replaces; { append = [...] } in place of
// an array extends the array beneath it.
void MergeToml(TomlValue& base, TomlValue over);

// Turns every { append = [...] } that found no array beneath it into that array.
void ResolveAppends(TomlValue& value);

// The spec with all it extends, its overlay and its settings as one table. Fills in
// reading.sources but for positions; notes what cannot be read.
TomlValue ReadDocuments(SpecReading& reading);

}  // namespace imgbuild::specs
