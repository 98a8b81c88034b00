// What ldconfig(8) does in an image: the dynamic linker's cache and the links that carry sonames.
#pragma once

#include <string_view>

#include "builder/state/package_view.h"
#include "builder/state/state.h"
#include "builder/state/state_files.h"

namespace imgbuild::builder {

inline constexpr std::string_view kLinkerCache = "etc/ld.so.cache";
// Names StateInput::library_dirs, where there are any.
inline constexpr std::string_view kLinkerConf = "etc/ld.so.conf.d/00-imgbuild.conf";

// etc/ld.so.cache over the folders of etc/ld.so.conf and the linker's own, a link SONAME -> file
// wherever none is there yet, and etc/ld.so.conf.d/00-imgbuild.conf for input.library_dirs. Looks
// through links in `files` (alternatives): call it after they are written. Does nothing where
// libc-bin is not in the image.
void AddLdCache(const StateInput& input, const PackageView& view, StateFiles& files);

}  // namespace imgbuild::builder
