#include "builder/lock/make_lock.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "builder/base/base_python.h"
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

// The compilers need all of them, whatever the platforms, so they are loaded together, when one is
// asked for.
class Indexes {
 public:
  explicit Indexes(Repository& repository) : repository_(repository) {}

  const PackageIndex& For(Architecture architecture) {
    if (loaded_.empty()) loaded_ = repository_.LoadAll(kArchitectures);
    return loaded_[static_cast<std::size_t>(std::ranges::find(kArchitectures, architecture) -
                                            kArchitectures.begin())];
  }

  bool AreLoaded() const { return !loaded_.empty(); }

 private:
  Repository& repository_;
  std::vector<PackageIndex> loaded_;
};

class PlatformLocker {
 public:
  PlatformLocker(const LockRequest& request, const specs::Platform& platform,
                 const KeptVersions& kept, Indexes& indexes, LockContext& context)
      : request_(request), platform_(platform), kept_(kept), indexes_(indexes), context_(context) {}

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

  // Of the image's Python; known after Lock.
  const std::string& python_version() const { return python_version_; }

 private:
  LockedPlatform LockWith(CudaPart cuda) {
    LockedPlatform locked{.platform = platform_, .packages = {}, .cuda_problem = ""};
    const PythonTarget target =
        context_.base != nullptr ? BaseTarget() : LockBase(cuda, locked.packages);
    python_version_ = target.version_text;
    std::vector<LockedPackage> wheels = LockPython(request_.loaded, target, kept_, cuda, context_);
    std::move(wheels.begin(), wheels.end(), std::back_inserter(locked.packages));
    return locked;
  }

  // Debian's packages, and the Python among them.
  PythonTarget LockBase(CudaPart cuda, std::vector<LockedPackage>& packages) {
    const specs::Spec& spec = request_.loaded.spec;
    packages = LockDebian(spec, indexes_.For(platform_.architecture), platform_, kept_, cuda);
    const LockedPackage& python =
        FindLocked(packages, fmt::format("python{}-minimal", spec.python.version));
    if (cuda == CudaPart::kWith && spec.cuda.provider == "debian") {
      context_.progress.Info(
          "CUDA from Debian's component non-free comes under NVIDIA's licence, which restricts how "
          "it is used and passed on: /usr/share/doc/nvidia-cuda-toolkit/copyright in the image");
    }
    return MakeTarget(PythonVersionOf(python.version), platform_);
  }

  PythonTarget BaseTarget() {
    const BasePython python =
        FindBasePython(context_.base->For(platform_), request_.loaded.spec.python.version);
    return MakeTarget(python.version, platform_, {python.glibc_major, python.glibc_minor});
  }

  const LockRequest& request_;
  const specs::Platform& platform_;
  const KeptVersions& kept_;
  Indexes& indexes_;
  LockContext& context_;
  std::string python_version_;
};

LockedPlatform LockPlatform(const LockRequest& request, const specs::Platform& platform,
                            const KeptVersions& kept, Indexes& indexes, LockContext& context,
                            specs::Lock& lock) {
  PlatformLocker locker(request, platform, kept, indexes, context);
  LockedPlatform locked = locker.Lock();
  const std::string& version = locker.python_version();
  if (!lock.python_version.empty() && lock.python_version != version) {
    throw specs::Error(fmt::format("{} has Python {} for {} and {} for another platform",
                                   context.base != nullptr ? "the base image" : "the archive",
                                   version, platform.Render(), lock.python_version))
        .Hint(context.base != nullptr ? "build on an image that has the same for all platforms"
                                      : "try again later: the archive is being updated");
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

// A base image may have a Python that no suite has: then nothing is compiled.
void LockCompilers(const specs::Spec& spec, const KeptVersions& kept, Indexes& indexes,
                   specs::Lock& lock) {
  if (!specs::SuiteHasPython(spec.system.suite, spec.python.version)) return;
  std::string version;
  const std::string name = fmt::format("python{}-minimal", spec.python.version);
  if (!spec.system.image) version = FindLocked(lock.platforms.front().packages, name).version;
  for (Architecture host : kArchitectures) {
    lock.compilers.push_back(
        LockCompiler(indexes.For(host), {host}, spec.python.version, version, kept));
    version = FindLocked(lock.compilers.back().packages, name).version;
  }
}

}  // namespace

specs::Lock MakeLock(const LockRequest& request, LockContext context) {
  const specs::Spec& spec = request.loaded.spec;
  const KeptVersions kept{.previous = request.previous,
                          .upgrade_all = request.upgrade_all,
                          .upgrades = &request.upgrades};
  specs::Lock lock{.inputs = specs::ResolutionInputs(spec), .packer = request.packer};
  Indexes indexes(context.repository);
  for (const specs::Platform& platform : PlatformsOf(request)) {
    specs::WithContext(fmt::format("while resolving for {}", platform.Render()), [&] {
      lock.platforms.push_back(LockPlatform(request, platform, kept, indexes, context, lock));
    });
  }
  LockCompilers(spec, kept, indexes, lock);
  if (context.base != nullptr) {
    const specs::Descriptor& root = context.base->For(lock.platforms.front().platform).root;
    lock.base = specs::LockedBase{
        .image = specs::CanonicalBaseImage(*spec.system.image, request.loaded.sources.folder),
        .media_type = root.media_type,
        .digest = root.digest,
        .size = root.size};
  }
  if (indexes.AreLoaded()) lock.suites = context.repository.suites();
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
