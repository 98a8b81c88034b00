// Which GPUs a library has code for: the headers of the fat binaries that nvcc puts into a section
// of ELF files (NVIDIA, "CUDA Binary Utilities"; the layout as cuobjdump lists it).
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace imgbuild::layers {

// "sm_90" for machine code of compute capability 9.0, "compute_120" for PTX, which drivers compile
// for that and every later one. Empty for a file without a section .nv_fatbin; what is damaged ends
// the list early. Only headers are looked at, so that of a mapped file few pages are read; never
// reads outside `bytes`.
std::set<std::string> ReadGpuCode(std::string_view bytes);

}  // namespace imgbuild::layers
