// What facts tell of a shared library, taken from it while it streams past, so that it need not be
// kept anywhere for that.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "layers/tree/facts.h"
#include "layers/unpack/elf.h"
#include "layers/unpack/fatbin.h"

namespace imgbuild::layers {

struct LibraryFacts {
  std::optional<ElfFacts> elf;     // as ReadElf says
  std::set<std::string> gpu_code;  // as ReadGpuCode says
};

// The same for a file that is at hand.
LibraryFacts ReadLibrary(std::string_view bytes);

// Watch all bytes of one file in order, then Finish once. Keeps the front and the back of an ELF
// file and its dynamic segment, some megabytes, which is where linkers put all that is looked for.
class LibraryWatcher {
 public:
  // `size`: of the file.
  explicit LibraryWatcher(std::uint64_t size);

  void Watch(std::string_view bytes);
  // nullopt for a file that has something where no linker puts it: ReadLibrary knows.
  std::optional<LibraryFacts> Finish();

 private:
  struct Kept {
    ByteRange range;
    std::string bytes;
  };

  void Keep(ByteRange range);
  FileParts Parts() const;

  const std::uint64_t size_;
  std::uint64_t position_ = 0;
  std::vector<Kept> kept_;
  bool front_read_ = false;
  FatbinScanner scanner_;
};

}  // namespace imgbuild::layers
