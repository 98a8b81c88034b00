#include "builder/lock/make_lock.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "builder/lock/cuda_part.h"
#include "builder/lock/debian_part.h"
#include "builder/lock/python_part.h"
#include "specs/base/error.h"
#include "specs/env/canonical.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

using specs::Architecture;
using specs::LockedPackage;
using specs::LockedPlatform;

constexpr std::array kArchitectures = {Architecture::kAmd64, Architecture::kArm64};

// The compilers need all of them, whatever the platforms, so they are loaded together.
class Indexes {
 public:
  explicit Indexes(Repository& repository) : loaded_(repository.LoadAll(kArchitectures)) {}

  const PackageIndex& For(Architecture architecture) const {
    return loaded_[static_cast<std::size_t>(std::ranges::find(kArchitectures, architecture) -
                                            kArchitectures.begin())];
  }

 private:
  std::vector<PackageIndex> loaded_;
};

class PlatformLocker {
 public:
  PlatformLocker(const LockRequest& request, const specs::Platform& platform,
                 const KeptVersions& kept, const PackageIndex& index, LockContext& context)
      : request_(request), platform_(platform), kept_(kept), index_(index), context_(context) {}

  // With the CUDA section, wherever it can be had: a spec that has it turned off must not fail for
  // it, and turning it on must not need another resolution.
  LockedPlatform Lock() {
    const specs::CudaSection& section = request_.loaded.spec.cuda;
    if (!specs::CudaApplies(section, platform_)) return LockWith(CudaPart::kWithout);
    try {
      return LockWith(CudaPart::kWith);
    } catch (const specs::Error& error) {
      if (section.enabled || error.kind() != specs::ErrorKind::kUnresolvable) throw;
      LockedPlatform locked = LockWith(CudaPart::kWithout);
      locked.cuda_problem = error.what();
      context_.progress.Warning(
          fmt::format("the CUDA section, which is off, cannot be had: {}", error.message()));
      return locked;
    }
  }

  // Of the base's Python; known after Lock.
  const std::string& python_version() const { return python_version_; }

 private:
  LockedPlatform LockWith(CudaPart cuda) {
    const specs::Spec& spec = request_.loaded.spec;
    LockedPlatform locked{.platform = platform_,
                          .packages = LockDebian(spec, index_, platform_, kept_, cuda),
                          .cuda_problem = ""};
    const LockedPackage& python =
        FindLocked(locked.packages, fmt::format("python{}-minimal", spec.python.version));
    python_version_ = PythonVersionOf(python.version);
    if (cuda == CudaPart::kWith && spec.cuda.provider == "debian") {
      context_.progress.Info(
          "CUDA from Debian's component non-free comes under NVIDIA's licence, which restricts how "
          "it is used and passed on: /usr/share/doc/nvidia-cuda-toolkit/copyright in the image");
    }
    std::vector<LockedPackage> wheels =
        LockPython(request_.loaded, platform_, python_version_, kept_, cuda, context_);
    std::move(wheels.begin(), wheels.end(), std::back_inserter(locked.packages));
    return locked;
  }

  const LockRequest& request_;
  const specs::Platform& platform_;
  const KeptVersions& kept_;
  const PackageIndex& index_;
  LockContext& context_;
  std::string python_version_;
};

LockedPlatform LockPlatform(const LockRequest& request, const specs::Platform& platform,
                            const KeptVersions& kept, const Indexes& indexes, LockContext& context,
                            specs::Lock& lock) {
  PlatformLocker locker(request, platform, kept, indexes.For(platform.architecture), context);
  LockedPlatform locked = locker.Lock();
  const std::string& version = locker.python_version();
  if (!lock.python_version.empty() && lock.python_version != version) {
    throw specs::Error(fmt::format("the archive has Python {} for {} and {} for another platform",
                                   version, platform.Render(), lock.python_version))
        .Hint("try again later: the archive is being updated");
  }
  lock.python_version = version;
  return locked;
}

// In an order of their own, so that whoever asks for one of them leaves the file as it is.
std::vector<specs::Platform> PlatformsOf(const LockRequest& request) {
  std::vector<specs::Platform> platforms = request.loaded.spec.image.platforms;
  const specs::Lock* previous = request.previous;
  if (request.keep_platforms && previous != nullptr &&
      previous->inputs == specs::ResolutionInputs(request.loaded.spec)) {
    for (const LockedPlatform& kept : previous->platforms) platforms.push_back(kept.platform);
  }
  std::ranges::sort(platforms);
  platforms.erase(std::unique(platforms.begin(), platforms.end()), platforms.end());
  return platforms;
}

}  // namespace

specs::Lock MakeLock(const LockRequest& request, LockContext context) {
  const specs::Spec& spec = request.loaded.spec;
  const KeptVersions kept{.previous = request.previous,
                          .upgrade_all = request.upgrade_all,
                          .upgrades = &request.upgrades};
  specs::Lock lock{.inputs = specs::ResolutionInputs(spec), .packer = request.packer};
  const Indexes indexes(context.repository);
  for (const specs::Platform& platform : PlatformsOf(request)) {
    specs::WithContext(fmt::format("while resolving for {}", platform.Render()), [&] {
      lock.platforms.push_back(LockPlatform(request, platform, kept, indexes, context, lock));
    });
  }
  const LockedPackage& python = FindLocked(lock.platforms.front().packages,
                                           fmt::format("python{}-minimal", spec.python.version));
  for (Architecture host : kArchitectures) {
    lock.compilers.push_back(
        LockCompiler(indexes.For(host), {host}, spec.python.version, python.version));
  }
  lock.suites = context.repository.suites();
  return lock;
}

bool LockMatches(const specs::Lock& lock, const specs::Spec& spec) {
  if (lock.inputs != specs::ResolutionInputs(spec)) return false;
  return std::ranges::all_of(spec.image.platforms, [&](const specs::Platform& wanted) {
    return std::ranges::find(lock.platforms, wanted, &LockedPlatform::platform) !=
           lock.platforms.end();
  });
}

}  // namespace imgbuild::builder
