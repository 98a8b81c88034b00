// Where a Debian package's paths lie in the image (Debian Policy 10.1; UsrMerge).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "layers/tree/node.h"
#include "specs/env/spec.h"

namespace imgbuild::layers {

// "bin/sh" -> "usr/bin/sh", for bin, sbin, lib, lib32, lib64, libx32 and libo32 at the top. A
// directory of that name alone is "usr/bin" as well; a symbolic link of that name alone is the
// merge itself: kept on suites whose base-files brings it, nullopt (left out) on bookworm, where
// the state files have it.
std::optional<std::string> MergedUsrPath(std::string_view path, NodeType type, specs::Suite suite);

// Directories that a package's own maintainer script replaces by links at installation: var/run
// and var/lock of base-files.
bool ReplacedByScript(std::string_view package, std::string_view path, NodeType type);

// The canonical path of a .deb's tar member; "" is the root. Throws Error for an absolute path and
// for one that climbs.
std::string DebMemberPath(std::string_view written);

}  // namespace imgbuild::layers
