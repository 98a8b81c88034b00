// The shell that `up --shell` and `shell` drop people into.
#pragma once

#include <string>
#include <vector>

#include "builder/cli/options.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

// bash; Python where the image has no shell. At the end of bash, which keeps its exit status, it is
// said which packages were installed in it, since they are gone with the container, and how to keep
// them: those that were asked for by name (REQUESTED of PEP 376), not what they brought along.
std::vector<std::string> ShellCommand(const specs::Spec& spec, const SpecOptions& options);

}  // namespace imgbuild::builder
