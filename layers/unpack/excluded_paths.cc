#include "layers/unpack/excluded_paths.h"

#include <array>

namespace imgbuild::layers {
namespace {

constexpr std::array<std::string_view, 7> kExcludedBelow = {
    "usr/share/doc/",     "usr/share/man/",   "usr/share/info/",   "usr/share/groff/",
    "usr/share/lintian/", "usr/share/linda/", "usr/share/locale/",
};

constexpr std::string_view kDoc = "usr/share/doc/";

}  // namespace

bool ExcludedPath(std::string_view path, NodeType type) {
  for (std::string_view folder : kExcludedBelow) {
    if (!path.starts_with(folder) || path.size() == folder.size()) continue;
    if (path == "usr/share/locale/locale.alias") return false;
    if (folder != kDoc) return true;
    std::string_view rest = path.substr(folder.size());
    if (rest.find('/') == std::string_view::npos) return type != NodeType::kSymlink;
    return !rest.ends_with("/copyright");
  }
  return false;
}

}  // namespace imgbuild::layers
