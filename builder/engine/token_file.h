// A service's token that a file of the host has.
#pragma once

#include <optional>
#include <string>

#include "builder/host/environment.h"

namespace imgbuild::builder {

// What the file that VARIABLE_FILE names holds, read as the supervisor reads one: less one newline
// at its end. Nullopt where `variable` has a value itself or no file is named. Throws Error where
// the file cannot be read or has nothing in it.
std::optional<std::string> TokenFromFile(const Environment& environment,
                                         const std::string& variable);

}  // namespace imgbuild::builder
