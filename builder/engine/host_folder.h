// The folder of the host that a container works in.
#pragma once

#include <filesystem>
#include <string>

#include "builder/engine/run_plan.h"

namespace imgbuild::builder {

// Relabelling takes a folder away from everything else that is confined, so it is done only to a
// folder that is neither `home` nor above it nor one of the system's. `enforce_file` is where the
// kernel says whether SELinux is in force.
FolderLabel LabelFor(const std::filesystem::path& folder, const std::string& home,
                     const std::filesystem::path& enforce_file = "/sys/fs/selinux/enforce");

}  // namespace imgbuild::builder
