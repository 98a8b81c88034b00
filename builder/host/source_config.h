// ~/.config/imgbuild/config.toml: what a user sets once for all specs (docs/sources.md).
#pragma once

#include <filesystem>
#include <string_view>

#include "builder/host/package_sources.h"

namespace imgbuild::builder {

// Throws Error (kUsage) with file:line:column for everything that is not a setting.
SourceConfig ParseSourceConfig(std::string_view text, std::string_view file);

// Empty where there is no file.
SourceConfig ReadSourceConfig(const std::filesystem::path& file);

}  // namespace imgbuild::builder
