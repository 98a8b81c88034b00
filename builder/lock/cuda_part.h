// What the CUDA section asks for, in the words of Debian and of package indexes. Which components a
// version has is read from the metadata of the index's cuda-toolkit, whose extras they are.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "builder/pypi/release_book.h"
#include "specs/env/lock.h"
#include "specs/env/spec.h"
#include "specs/python/requirement.h"

namespace imgbuild::builder {

// Whether a resolution includes the CUDA section.
enum class CudaPart { kWithout, kWith };

// Debian packages: the host compiler, where the section brings nvcc among the locked wheels, and
// with provider "debian" the toolkit itself with the one that its nvcc accepts.
std::vector<std::string> CudaDebianPackages(const specs::CudaSection& section,
                                            const std::vector<specs::LockedPackage>& wheels);

// The archive's components that these lie in, beside main. They are asked for where a resolution
// includes the section and nowhere else: a mirror may lack them.
std::vector<std::string> CudaDebianComponents(const specs::CudaSection& section);

// Names of what the host's driver brings into containers: libraries that Debian's CUDA depends on
// and that must not be in an image, where they would be of another driver than the kernel's.
std::vector<std::string> CudaDriverPackages(const specs::CudaSection& section);

// With provider "debian": throws Error (kUnresolvable) unless the suite has the section's version,
// of which there is one.
void CheckDebianCuda(const specs::CudaSection& section, specs::Suite suite,
                     const std::vector<specs::LockedPackage>& packages);

// The meta-package whose releases say which versions of everything a version of CUDA has.
inline constexpr std::string_view kCudaToolkit = "cuda-toolkit";

// The toolkit's extras that stand for the section's components in a release of the version
// ("13.0.1"), or in the newest one. Throws Error (kUnresolvable): a version that no index has, with
// those there are; a component that the release has not, with near names and what else has it.
std::set<std::string> CudaExtras(const specs::CudaSection& section, ReleaseBook& book,
                                 const std::string& release = "");

// Requirements of wheels: "cuda-toolkit[all]==13.0.*", "nvidia-cudnn-cu13". The toolkit is always
// among them, without extras where no part of it is asked for, so that it can hold what others
// require to its versions (ResolveInput::binding). With `release` that one of the version's
// releases. Throws as CudaExtras.
std::vector<specs::Requirement> CudaRequirements(const specs::CudaSection& section,
                                                 ReleaseBook& book,
                                                 const std::string& release = "");

// The releases of the section's version, the newest first.
std::vector<std::string> CudaReleases(const specs::CudaSection& section, ReleaseBook& book);

// The same parts without the toolkit that binds them to one release: what the newest one has as
// "nvidia-cuda-nvrtc-cu12==12.6.85.*" is "==12.6.*". Frameworks were built with parts of different
// releases.
struct LooseCuda {
  std::vector<specs::Requirement> requirements;
  // For whatever else is of the toolkit, and for itself.
  std::vector<specs::Requirement> constraints;
};
LooseCuda LooseCudaRequirements(const specs::CudaSection& section, ReleaseBook& book);

// Whether libraries of another major version than the section's are among these projects.
bool HasOtherCuda(const specs::CudaSection& section, const std::vector<std::string>& projects);

}  // namespace imgbuild::builder
