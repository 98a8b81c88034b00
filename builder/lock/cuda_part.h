// What the CUDA section asks for, in the words of Debian and of package indexes. Which components a
// version has is read from the metadata of the index's cuda-toolkit, whose extras they are.
#pragma once

#include <string>
#include <vector>

#include "builder/pypi/release_book.h"
#include "specs/env/spec.h"
#include "specs/python/requirement.h"

namespace imgbuild::builder {

// Whether a resolution includes the CUDA section.
enum class CudaPart { kWithout, kWith };

// Debian packages: the host compiler that nvcc runs, where nvcc is asked for.
std::vector<std::string> CudaDebianPackages(const specs::CudaSection& section);

// Requirements of wheels: "cuda-toolkit[all]==13.0.*", "nvidia-cudnn-cu13". Throws Error
// (kUnresolvable): a version that no index has, with those there are; a component that the version
// has not, with near names and the versions that have it.
std::vector<specs::Requirement> CudaRequirements(const specs::CudaSection& section,
                                                 ReleaseBook& book);

}  // namespace imgbuild::builder
