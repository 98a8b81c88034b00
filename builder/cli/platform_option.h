// --platform of the commands that read images of any tool: one of an index, of any kind.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace imgbuild::builder {

// `platform` stays "" where it is not given.
void AddPlatformOption(CLI::App& command, std::string& platform);

}  // namespace imgbuild::builder
