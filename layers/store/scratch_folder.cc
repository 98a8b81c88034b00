#include "layers/store/scratch_folder.h"

#include <string>
#include <system_error>

namespace imgbuild::layers {

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::filesystem::path ScratchFolder::NewPath() {
  if (folder_.empty()) folder_ = store_.NewDirectory();
  return folder_ / std::to_string(count_++);
}

}  // namespace imgbuild::layers
