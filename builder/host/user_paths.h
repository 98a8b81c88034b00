// Where a user's cache and configuration live (XDG Base Directory Specification).
#pragma once

#include <filesystem>

#include "builder/host/environment.h"

namespace imgbuild::builder {

// $IMGBUILD_CACHE_DIR, else $XDG_CACHE_HOME/imgbuild, else $HOME/.cache/imgbuild. Throws Error
// where none is set.
std::filesystem::path CacheDirectory(const Environment& environment);

// $XDG_CONFIG_HOME/imgbuild/config.toml, else $HOME/.config/imgbuild/config.toml; "" where neither
// is set.
std::filesystem::path ConfigFile(const Environment& environment);

// $XDG_DATA_HOME/imgbuild, else $HOME/.local/share/imgbuild: what users put there is theirs, and no
// cache. Throws Error where neither is set.
std::filesystem::path DataDirectory(const Environment& environment);

// $NETRC, else $HOME/.netrc; "" where neither is set. The file need not be there.
std::filesystem::path NetrcFile(const Environment& environment);

}  // namespace imgbuild::builder
