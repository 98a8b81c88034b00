#include "layers/unpack/deb_paths.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "layers/tree/path.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

constexpr std::array<std::string_view, 7> kMerged = {"bin",   "sbin",   "lib",   "lib32",
                                                     "lib64", "libx32", "libo32"};

}  // namespace

std::optional<std::string> MergedUsrPath(std::string_view path, NodeType type, specs::Suite suite) {
  std::string_view top = path.substr(0, path.find('/'));
  if (std::ranges::find(kMerged, top) == kMerged.end()) return std::string(path);
  if (path == top && type == NodeType::kSymlink) {
    if (suite == specs::Suite::kBookworm) return std::nullopt;
    return std::string(path);
  }
  return fmt::format("usr/{}", path);
}

bool ReplacedByScript(std::string_view package, std::string_view path, NodeType type) {
  return package == "base-files" && type == NodeType::kDirectory &&
         (path == "var/run" || path == "var/lock");
}

std::string DebMemberPath(std::string_view written) {
  std::optional<std::string> path = CanonicalPath(written);
  if (!path || written.starts_with('/')) {
    throw specs::Error(fmt::format("the package has the unsafe path \"{}\"", written))
        .Expected("relative paths without \"..\"");
  }
  return std::move(*path);
}

}  // namespace imgbuild::layers
