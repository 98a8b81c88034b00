// Which files of a Debian package are kept in its facts, so that state files can be made without
// its frame: an explicit table.
#pragma once

#include <cstdint>
#include <string_view>

namespace imgbuild::layers {

// Of all captured files of one package together; what comes later in order of path stays out.
inline constexpr std::uint64_t kMaxCaptured = 16u << 20;

// Whether a regular file of this size (bytes) is captured. `path` as installed: "etc/skel/.bashrc".
bool CapturedPath(std::string_view path, std::uint64_t size);

}  // namespace imgbuild::layers
