// --platform of the commands that read images of any tool: one of an index, of any kind.
#pragma once

#include <string>

#include "builder/cli/command_line.h"

namespace imgbuild::builder {

// `platform` stays "" where it is not given.
void AddPlatformOption(Command command, std::string& platform);

}  // namespace imgbuild::builder
