// Paths inside an image: relative to its root, one spelling each.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace imgbuild::layers {

inline constexpr std::size_t kMaxPath = 4095;      // PATH_MAX less its NUL
inline constexpr std::size_t kMaxComponent = 255;  // NAME_MAX

// "usr/bin/env": no leading, trailing or doubled slash, no component "." or "..", no NUL, within
// the limits above, not empty.
bool IsCanonicalPath(std::string_view path);

// The canonical spelling of a path as archives write it: "./usr//bin/", "/usr/bin" -> "usr/bin".
// The root itself ("./", "/") is "". nullopt for what is not safe: "..", NUL, too long.
std::optional<std::string> CanonicalPath(std::string_view path);

// "usr/bin" of "usr/bin/env", "" of "usr".
std::string_view ParentPath(std::string_view path);

// "env" of "usr/bin/env".
std::string_view BaseName(std::string_view path);

// What a symbolic link at a path (relative to the root) says; nullopt for what is no link.
using LinkAt = std::function<std::optional<std::string>(const std::string& path)>;

// Where a path leads, seen from the root, without links in it (path_resolution(7)): "usr/bin/env".
// "" is the root. Whether something is there is not asked. nullopt where links go round.
std::optional<std::string> ResolvePath(std::string_view path, const LinkAt& link_at);

}  // namespace imgbuild::layers
