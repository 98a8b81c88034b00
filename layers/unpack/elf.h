// What the dynamic linker reads of a file (System V gABI, chapters 4 and 5), from untrusted bytes.
#pragma once

#include <optional>
#include <string_view>

#include "layers/tree/facts.h"

namespace imgbuild::layers {

// Whether the bytes begin as an ELF file does.
bool LooksLikeElf(std::string_view bytes);

// nullopt for what is no ELF file, is neither executable nor shared (ET_EXEC, ET_DYN), or is so
// damaged that the linker could not load it. Reads 64-bit and 32-bit files of either byte order;
// never reads outside `bytes`, and at most 4096 dynamic entries.
std::optional<ElfFacts> ReadElf(std::string_view bytes);

}  // namespace imgbuild::layers
