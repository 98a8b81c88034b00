// What the dynamic linker reads of a file (System V gABI, chapters 4 and 5), from untrusted bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "layers/tree/facts.h"
#include "layers/unpack/file_parts.h"

namespace imgbuild::layers {

// Whether the bytes begin as an ELF file does.
bool LooksLikeElf(std::string_view bytes);

// nullopt for what is no ELF file, is neither executable nor shared (ET_EXEC, ET_DYN), or is so
// damaged that the linker could not load it. Reads 64-bit and 32-bit files of either byte order;
// never reads outside `bytes`, and at most 4096 dynamic entries.
std::optional<ElfFacts> ReadElf(std::string_view bytes);
// The same of a file that is at hand in parts. Where file.missed() says so, of no worth.
std::optional<ElfFacts> ReadElf(FileParts& file);

struct ByteRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// Where the dynamic segment lies, as far as it is read; the file's front is enough to tell. nullopt
// where there is none.
std::optional<ByteRange> FindDynamicSegment(FileParts& file);

}  // namespace imgbuild::layers
