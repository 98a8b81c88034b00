// Paths through the image's symbolic links, the packages' and the generated ones.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "builder/state/package_view.h"
#include "builder/state/state_files.h"

namespace imgbuild::builder {

// Borrows both for its life.
class ImagePaths {
 public:
  ImagePaths(const PackageView& view, const StateFiles& files) : view_(view), files_(files) {}

  // Where an absolute path leads, relative to the root and without links in it
  // (path_resolution(7)); nullopt where nothing is there, or links go round.
  std::optional<std::string> Resolve(std::string_view absolute) const;

  // Names of what is directly in a folder (relative to the root, without links in it).
  std::set<std::string> Names(std::string_view folder) const;

 private:
  // The link's target; nullopt for what is no link.
  std::optional<std::string> LinkAt(const std::string& path) const;
  bool Exists(const std::string& path) const;

  const PackageView& view_;
  const StateFiles& files_;
};

}  // namespace imgbuild::builder
