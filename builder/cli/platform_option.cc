#include "builder/cli/platform_option.h"

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "specs/oci/document.h"

namespace imgbuild::builder {

void AddPlatformOption(CLI::App& command, std::string& platform) {
  command.add_option("--platform", platform, "Only this one of several: linux/arm64")
      ->type_name("PLATFORM")
      ->check([](const std::string& text) {
        return specs::IsPlatformName(text)
                   ? std::string()
                   : fmt::format("\"{}\" is no platform, such as linux/amd64", text);
      });
}

}  // namespace imgbuild::builder
