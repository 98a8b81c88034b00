// Files that are needed as long as something is made of them.
#pragma once

#include <cstdint>
#include <filesystem>

#include "layers/store/store.h"

namespace imgbuild::layers {

// Below the store's tmp/, made when the first file is; it goes with the object and all that is in
// it, and what a killed process leaves goes as stale.h says.
class ScratchFolder {
 public:
  // Borrows the store for its life.
  explicit ScratchFolder(const Store& store) : store_(store) {}
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  // A path where nothing is yet.
  std::filesystem::path NewPath();

 private:
  const Store& store_;
  std::filesystem::path folder_;  // "" before the first
  std::uint64_t count_ = 0;
};

}  // namespace imgbuild::layers
