// The folder of the host that a container works in.
#pragma once

#include <filesystem>
#include <string>

#include "builder/engine/run_plan.h"

namespace imgbuild::builder {

// Relabelling takes a folder away from everything else that is confined, so it is done only to a
// folder of its own: neither `home` nor another home, nor what leads to one, nor a hidden folder in
// one, nor one of the system's. `enforce_file` is where the kernel says whether SELinux is in
// force.
FolderLabel LabelFor(const std::filesystem::path& folder, const std::string& home,
                     const std::filesystem::path& enforce_file = "/sys/fs/selinux/enforce");

// Throws Error where no engine and no unit can be told of the folder: a colon ends its path there.
void RequireMountable(const std::string& folder);

}  // namespace imgbuild::builder
