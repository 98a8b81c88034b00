// The CUDA toolkit as programs and build systems look for it, over wheels that each bring a part of
// it below site-packages/nvidia, or over Debian's packages, which spread it over /usr (FHS 3.0,
// /usr/local; nvcc's documentation, "nvcc.profile").
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "layers/tree/facts.h"
#include "layers/tree/file_tree.h"

namespace imgbuild::builder {

inline constexpr std::string_view kCudaHome = "/usr/local/cuda";

struct CudaView {
  layers::ContentTree files;
  // Absolute folders of shared libraries, for the dynamic linker, in order.
  std::vector<std::string> library_dirs;
};

// `wheels` are those of the CUDA section, `site` their site-packages relative to the root.
//
// usr/local/cuda has bin, include, lib64 and nvvm as real folders, since nvcc looks for the others
// beside the folder that it was called in, not where its file lies. What is in them are links: to a
// folder that one part of the toolkit has alone, else to files. A library that is there under its
// soname only ("libcublas.so.13") also gets the name that linkers look for ("libcublas.so"). Where
// two parts bring the same path, the first by name has it. Empty where no wheel has such a part.
CudaView MakeCudaView(std::span<const layers::PackageFacts* const> wheels, std::string_view site);

// The same over those of an image's Debian packages that are CUDA's. The dynamic linker knows their
// folders already.
CudaView MakeDebianCudaView(std::span<const layers::PackageFacts* const> debs);

}  // namespace imgbuild::builder
