// Files of this machine that a spec names, looked at before the work that reads them.
#pragma once

#include <string>

#include "specs/env/loader.h"

namespace imgbuild::builder {

// As specs::CheckLocal.
std::string LocalProblem(const std::string& path, specs::LocalKind kind);

// Throws Error (kUsage), with its place, where the keyring that the spec names cannot be read.
// Asked before resolving only: nothing else reads it.
void RequireKeyring(const specs::LoadedSpec& loaded);

}  // namespace imgbuild::builder
