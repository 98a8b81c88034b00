#include "builder/cli/platform_option.h"

#include <fmt/core.h>

#include "specs/oci/document.h"

namespace imgbuild::builder {

void AddPlatformOption(Command command, std::string& platform) {
  command.AddOption("--platform", platform, "Only this one of several: linux/arm64")
      .TypeName("PLATFORM")
      .Check([](const std::string& text) {
        return specs::IsPlatformName(text)
                   ? std::string()
                   : fmt::format("\"{}\" is no platform, such as linux/amd64", text);
      });
}

}  // namespace imgbuild::builder
