// What the CUDA section asks for, in the words of Debian and of package indexes. Which components a
// version has is read from the metadata of the index's cuda-toolkit, whose extras they are.
#pragma once

#include <string>
#include <vector>

#include "builder/pypi/release_book.h"
#include "specs/env/lock.h"
#include "specs/env/spec.h"
#include "specs/python/requirement.h"

namespace imgbuild::builder {

// Whether a resolution includes the CUDA section.
enum class CudaPart { kWithout, kWith };

// Debian packages: the host compiler that nvcc runs, where nvcc is asked for, and with provider
// "debian" the toolkit itself.
std::vector<std::string> CudaDebianPackages(const specs::CudaSection& section);

// The archive's components that these lie in, beside main.
std::vector<std::string> CudaDebianComponents(const specs::CudaSection& section);

// Names of what the host's driver brings into containers: libraries that Debian's CUDA depends on
// and that must not be in an image, where they would be of another driver than the kernel's.
std::vector<std::string> CudaDriverPackages(const specs::CudaSection& section);

// With provider "debian": throws Error (kUnresolvable) unless the suite has the section's version,
// of which there is one.
void CheckDebianCuda(const specs::CudaSection& section, specs::Suite suite,
                     const std::vector<specs::LockedPackage>& packages);

// Requirements of wheels: "cuda-toolkit[all]==13.0.*", "nvidia-cudnn-cu13". Throws Error
// (kUnresolvable): a version that no index has, with those there are; a component that the version
// has not, with near names and the versions that have it.
std::vector<specs::Requirement> CudaRequirements(const specs::CudaSection& section,
                                                 ReleaseBook& book);

}  // namespace imgbuild::builder
