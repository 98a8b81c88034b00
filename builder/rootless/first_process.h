// The image's first process, from a fork of this program to its execve.
#pragma once

#include <filesystem>

#include "builder/rootless/rootless_run.h"

namespace imgbuild::builder {

// Builds the image's root over its tree, enters it, gives up every right and becomes the program.
// `folder` is the run's own. `alive` is the reading end of a pipe of whoever has to outlive us.
// REQUIRES: number 1 of a process namespace, in a user namespace with all rights. Throws Error.
[[noreturn]] void BecomeFirstProcess(const RootlessRun& run, const std::filesystem::path& folder,
                                     int alive);

// What the image wrote over its files, by their paths in the image, once it has ended: where there
// was no overlayfs, that is a copy of them all.
std::filesystem::path WrittenBelow(const std::filesystem::path& folder);

}  // namespace imgbuild::builder
