// The Debian half of a lock.
#pragma once

#include <string>
#include <vector>

#include "builder/debian/package_index.h"
#include "builder/lock/kept_versions.h"
#include "specs/env/lock.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

// The packages of one platform by name: of layer "base", and of layer "cuda" those that only
// `cuda_roots` need, packages of the CUDA section. Throws Error (kUnresolvable).
std::vector<specs::LockedPackage> LockDebian(const specs::Spec& spec, const PackageIndex& index,
                                             const specs::Platform& platform,
                                             const KeptVersions& kept,
                                             const std::vector<std::string>& cuda_roots);

// The interpreter that compiles .pyc on a host: of the same version on all of them, that of the
// image where Debian's Python is in it, so that the bytes are the same wherever they are made. ""
// is the newest version.
specs::LockedCompiler LockCompiler(const PackageIndex& index, const specs::Platform& host,
                                   std::string_view python, std::string_view debian_version,
                                   const KeptVersions& kept);

// "3.11.2" of Debian's "3.11.2-6+deb12u6".
std::string PythonVersionOf(std::string_view debian_version);

// The locked package of that name; throws Error where there is none.
const specs::LockedPackage& FindLocked(const std::vector<specs::LockedPackage>& packages,
                                       std::string_view name);

}  // namespace imgbuild::builder
