// Layers that would be larger than image.max-layer-size are cut: between packages where that is
// enough, else between the files of a package.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "builder/assemble/package_maker.h"
#include "layers/tree/facts.h"
#include "layers/tree/file_tree.h"

namespace imgbuild::builder {

// What of one package goes into one layer.
struct PackagePart {
  const ReadyPackage* package = nullptr;
  const layers::PackageFacts* facts = nullptr;  // of these files alone
  std::uint64_t begin = 0;                      // of the frame's plain bytes
  std::uint64_t end = 0;

  bool IsWhole() const { return begin == 0 && end == package->frame.tar_size; }
};

struct LayerParts {
  std::vector<std::vector<PackagePart>> layers;
  // What the facts of packages that were cut point to.
  std::vector<std::unique_ptr<layers::PackageFacts>> facts;
};

// The packages, in their order, in as few layers of at most `limit` plain bytes as that takes. A
// file that alone is larger is in a layer of its own, and hard links stay with their file. At least
// one layer, which may be empty. Borrows the packages.
LayerParts SplitPackages(const std::vector<const ReadyPackage*>& packages, std::uint64_t limit);

// The same for files that no package brings. Takes the tree; directories stay in the first.
std::vector<layers::ContentTree> SplitFiles(layers::ContentTree files, std::uint64_t limit);

}  // namespace imgbuild::builder
