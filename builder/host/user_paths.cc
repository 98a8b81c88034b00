#include "builder/host/user_paths.h"

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

std::filesystem::path BelowHome(const Environment& environment, std::string_view xdg,
                                std::string_view below_home) {
  // The specification has relative values ignored.
  if (auto directory = environment.Get(xdg); directory && directory->starts_with('/')) {
    return std::filesystem::path(*directory) / "imgbuild";
  }
  if (auto home = environment.Get("HOME")) {
    return std::filesystem::path(*home) / below_home / "imgbuild";
  }
  return {};
}

}  // namespace

std::filesystem::path CacheDirectory(const Environment& environment) {
  if (auto given = environment.Get("IMGBUILD_CACHE_DIR")) return *given;
  std::filesystem::path found = BelowHome(environment, "XDG_CACHE_HOME", ".cache");
  if (found.empty()) {
    throw specs::Error("no place for the cache: neither XDG_CACHE_HOME nor HOME is set")
        .Hint("set HOME, or name a directory with --cache-dir");
  }
  return found;
}

std::filesystem::path ConfigFile(const Environment& environment) {
  std::filesystem::path found = BelowHome(environment, "XDG_CONFIG_HOME", ".config");
  return found.empty() ? found : found / "config.toml";
}

std::filesystem::path DataDirectory(const Environment& environment) {
  std::filesystem::path found = BelowHome(environment, "XDG_DATA_HOME", ".local/share");
  if (found.empty()) {
    throw specs::Error("no place for homes and volumes: neither XDG_DATA_HOME nor HOME is set")
        .Hint("set HOME");
  }
  return found;
}

std::filesystem::path NetrcFile(const Environment& environment) {
  if (auto given = environment.Get("NETRC")) return *given;
  if (auto home = environment.Get("HOME")) return std::filesystem::path(*home) / ".netrc";
  return {};
}

}  // namespace imgbuild::builder
