// All packages of an image as one file system to look things up in: by name, by path, through
// links.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "builder/state/state.h"
#include "layers/tree/facts.h"

namespace imgbuild::builder {

// Borrows the packages of `input` for its life.
class PackageView {
 public:
  explicit PackageView(const StateInput& input);

  // Sorted by name.
  const std::vector<const layers::PackageFacts*>& debs() const { return debs_; }
  // nullptr where there is none of that name.
  const layers::PackageFacts* Find(std::string_view name) const;
  bool HasPackage(std::string_view name) const { return Find(name) != nullptr; }

  // What a package brings at exactly this path; nullptr where none does.
  const layers::FileFacts* File(std::string_view path) const;
  // The captured content; nullopt where no package brings it or it was not captured.
  std::optional<std::string_view> Content(std::string_view path) const;
  // Content that has to be there. Throws Error naming the package that should bring it.
  std::string_view Need(std::string_view package, std::string_view path) const;

  // All files directly in a folder: name -> file, sorted by name.
  std::map<std::string_view, const layers::FileFacts*> Folder(std::string_view folder) const;

 private:
  std::vector<const layers::PackageFacts*> debs_;
  std::vector<const layers::PackageFacts*> all_;
  std::unordered_map<std::string_view, const layers::FileFacts*> files_;
};

}  // namespace imgbuild::builder
