// What two caches say otherwise of the same recipes.
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "layers/store/cache_folder.h"
#include "layers/store/store.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

bool SameContent(const fs::path& one, const fs::path& other) {
  try {
    return HashFile(one) == HashFile(other);
  } catch (const specs::Error&) {
    return false;  // what cannot be read is of no use
  }
}

// Entries lie in folders named after their first two digits.
std::size_t DropFolder(const fs::path& folder, const fs::path& right) {
  std::size_t dropped = 0;
  for (const fs::path& part : EntriesOf(right)) {
    for (const fs::path& entry : EntriesOf(part)) {
      const fs::path here = folder / part.filename() / entry.filename();
      std::error_code error;
      if (!fs::exists(here, error) || SameContent(here, entry)) continue;
      fs::remove(here, error);
      if (error) {
        InCache(here, [&] { throw FileError("remove the wrong", here, error.value()); });
      }
      ++dropped;
    }
  }
  return dropped;
}

}  // namespace

std::size_t Store::DropDiffering(const Store& right) {
  return DropFolder(paths_.Packages(), right.paths().Packages()) +
         DropFolder(paths_.Actions(), right.paths().Actions());
}

}  // namespace imgbuild::layers
