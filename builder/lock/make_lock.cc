#include "builder/lock/make_lock.h"

#include <algorithm>
#include <array>
#include <map>

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

  // With components of the archive beside main. Throws Error (kUnresolvable) where it lacks one.
  const PackageIndex& With(const std::vector<std::string>& components, Architecture architecture) {
    const PackageIndex& plain = For(architecture);
    if (components.empty()) return plain;
    auto found = with_.find(architecture);
    if (found == with_.end()) {
      found = with_.emplace(architecture, repository_.Load(architecture, components)).first;
    }
    return found->second;
  }

  bool AreLoaded() const { return !loaded_.empty(); }

 private:
  Repository& repository_;
  std::vector<PackageIndex> loaded_;
  std::map<Architecture, PackageIndex> with_;
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
    const bool on_base = context_.base != nullptr;
    if (!on_base) locked.packages = LockDebs({}, {});
    const PythonTarget target = on_base ? BaseTarget() : DebianTarget(locked.packages);
    python_version_ = target.version_text;
    std::vector<LockedPackage> wheels = LockPython(request_.loaded, target, kept_, cuda, context_);
    if (!on_base && cuda == CudaPart::kWith) AddCudaDebs(wheels, locked.packages);
    std::move(wheels.begin(), wheels.end(), std::back_inserter(locked.packages));
    return locked;
  }

  std::vector<LockedPackage> LockDebs(const std::vector<std::string>& cuda_roots,
                                      const std::vector<std::string>& components) {
    const PackageIndex& index = indexes_.With(components, platform_.architecture);
    return LockDebian(request_.loaded.spec, index, platform_, kept_, cuda_roots);
  }

  // Anew and all together: whether the section needs any is known after the wheels.
  void AddCudaDebs(const std::vector<LockedPackage>& wheels, std::vector<LockedPackage>& debs) {
    const specs::CudaSection& section = request_.loaded.spec.cuda;
    const std::vector<std::string> roots = CudaDebianPackages(section, wheels);
    if (!roots.empty()) debs = LockDebs(roots, CudaDebianComponents(section));
  }

  PythonTarget DebianTarget(const std::vector<LockedPackage>& debs) const {
    const LockedPackage& python =
        FindLocked(debs, fmt::format("python{}-minimal", request_.loaded.spec.python.version));
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

void AddPlatforms(std::vector<specs::Platform> group, std::vector<specs::Platform>& platforms) {
  std::ranges::sort(group);
  for (const specs::Platform& platform : group) {
    if (std::ranges::find(platforms, platform) == platforms.end()) platforms.push_back(platform);
  }
}

// In the order in which they are resolved.
std::vector<specs::Platform> PlatformsOf(const LockRequest& request) {
  std::vector<specs::Platform> others = request.loaded.spec.image.platforms;
  const specs::Lock* previous = request.previous;
  if (request.keep_platforms && previous != nullptr &&
      previous->inputs == specs::ResolutionInputs(request.loaded.spec)) {
    for (const LockedPlatform& kept : previous->platforms) others.push_back(kept.platform);
  }
  std::vector<specs::Platform> platforms;
  AddPlatforms(request.own_platforms, platforms);
  AddPlatforms(std::move(others), platforms);
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
  KeptVersions kept{.previous = request.previous,
                    .upgrade_all = request.upgrade_all,
                    .upgrades = &request.upgrades,
                    .chosen = {}};
  specs::Lock lock{.inputs = specs::ResolutionInputs(spec), .packer = request.packer};
  Indexes indexes(context.repository);
  for (const specs::Platform& platform : PlatformsOf(request)) {
    kept.chosen = lock.platforms;
    specs::WithContext(fmt::format("while resolving for {}", platform.Render()), [&] {
      lock.platforms.push_back(LockPlatform(request, platform, kept, indexes, context, lock));
    });
  }
  std::ranges::sort(lock.platforms, {}, &LockedPlatform::platform);
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
