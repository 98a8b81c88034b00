// Which GPUs a library has code for: the headers of the fat binaries that nvcc puts into a section
// of ELF files (NVIDIA, "CUDA Binary Utilities"; the layout as cuobjdump lists it).
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "layers/unpack/file_parts.h"

namespace imgbuild::layers {

// "sm_90" for machine code of compute capability 9.0, "compute_120" for PTX, which drivers compile
// for that and every later one. Empty for a file without a section .nv_fatbin; what is damaged ends
// the list early. Never reads outside `bytes`.
std::set<std::string> ReadGpuCode(std::string_view bytes);

// Finds fat binaries in a file that streams past, before anybody knows where their section is:
// whatever begins as one is followed from header to header. Bytes that were made to look like many
// at once only make the list shorter.
class FatbinScanner {
 public:
  // The file's bytes, from its beginning, one piece after the other.
  void Scan(std::string_view bytes);
  // What ReadGpuCode would say of the whole file. `file`: where its section headers are at hand.
  std::set<std::string> Find(FileParts& file) const;

 private:
  friend std::set<std::string> ReadGpuCode(std::string_view bytes);

  struct Entry {
    std::uint64_t end = 0;  // of its header
    std::string code;
  };
  struct Binary {
    std::uint64_t begin = 0;
    std::uint64_t header = 0;  // 0: it was cut short
    std::uint64_t size = 0;    // of what follows the header
    std::vector<Entry> entries;
  };
  // The next header that is looked for in a binary.
  struct Wanted {
    std::size_t binary = 0;
    std::uint64_t offset = 0;
    std::string bytes;  // that came already
  };

  void ScanAligned(std::string_view bytes);
  void FindMagic(std::string_view bytes);
  bool Follow(Wanted& wanted, std::string_view bytes);
  bool ReadHeader(Wanted& wanted);
  bool ReadEntry(Wanted& wanted);
  std::set<std::string> CodeIn(std::uint64_t begin, std::uint64_t size) const;

  std::uint64_t position_ = 0;  // a multiple of the alignment
  std::string rest_;            // behind it
  std::vector<Binary> binaries_;
  std::vector<Wanted> wanted_;
  std::size_t entries_ = 0;  // looked at, of all binaries together
};

}  // namespace imgbuild::layers
