// Files that are put elsewhere as cheaply as the file system can.
#pragma once

#include <filesystem>

#include "layers/image/write_meter.h"

namespace imgbuild::layers {

// Makes `to`, which is not there, a reflink of `from`, else a hard link, else a copy. The bytes are
// on the disk then. What it began is removed where it fails. `meter` may be null.
void LinkOrCopy(const std::filesystem::path& from, const std::filesystem::path& to,
                WriteMeter* meter);

// The same, never a hard link: for files that are not ours, and may be written to.
void ReflinkOrCopy(const std::filesystem::path& from, const std::filesystem::path& to,
                   WriteMeter* meter);

}  // namespace imgbuild::layers
