// Mounts made as planned, in a mount namespace that nobody else sees.
#pragma once

#include <string>
#include <vector>

#include "builder/rootless/mount_plan.h"
#include "builder/rootless/root_folder.h"

namespace imgbuild::builder {

// From now on nothing that this process mounts is seen outside, nor the other way round.
// REQUIRES: a mount namespace of its own.
void MakeMountsPrivate();

// Lays a writable folder over the read-only `tree` (overlayfs). All are names below `base` without
// special characters; `upper` and `work` are empty folders of one file system. False where this
// kernel or these file systems refuse.
bool MountOverlay(const std::string& base, const std::string& tree, const std::string& upper,
                  const std::string& work, const std::string& target);

// A folder as a mount of its own, as pivot_root asks for.
void BindOntoItself(const std::string& folder);

// Throws Error for one that is required and refused.
void MakeMounts(const RootFolder& root, const std::vector<PlannedMount>& mounts);

// The folder becomes /, and everything else goes out of sight. REQUIRES: it is a mount.
void EnterRoot(const RootFolder& root);

}  // namespace imgbuild::builder
