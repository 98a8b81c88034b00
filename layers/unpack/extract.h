// A Debian package's files as a directory on this machine, for programs that run from the cache.
#pragma once

#include <filesystem>

#include "layers/unpack/deb.h"

namespace imgbuild::layers {

// Lays the .deb's files and links below `root` (made if it is not there), with the path rules of
// UnpackDeb and its checks. Owners are not set, set-id bits are dropped, times are set on files.
// Nothing is written outside `root`, whatever links the package or earlier ones brought: a path
// below a symbolic link is an Error. Files already there are replaced. `options.pyc` is ignored.
PackageFacts ExtractDeb(const std::filesystem::path& deb, const DebOptions& options,
                        const std::filesystem::path& root);

}  // namespace imgbuild::layers
