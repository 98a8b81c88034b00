// Whether files can be made somewhere, asked before the work whose result they are.
#pragma once

#include <filesystem>

namespace imgbuild::builder {

// Throws Error where nothing can be made in `folder`, or, where it is still to be made, in the
// nearest folder above it. Changes nothing; a disk may still be full later.
void RequireWritableFolder(const std::filesystem::path& folder);

}  // namespace imgbuild::builder
