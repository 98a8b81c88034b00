#include "builder/lock/make_lock.h"

#include <algorithm>
#include <map>

#include <fmt/core.h>

#include "builder/lock/debian_part.h"
#include "builder/lock/python_part.h"
#include "specs/base/error.h"
#include "specs/env/canonical.h"

namespace imgbuild::builder {
namespace {

using specs::Architecture;
using specs::LockedPackage;
using specs::LockedPlatform;

// One load for each architecture, however many need it.
class Indexes {
 public:
  explicit Indexes(Repository& repository) : repository_(repository) {}
  const PackageIndex& For(Architecture architecture) {
    auto found = loaded_.find(architecture);
    if (found == loaded_.end()) {
      found = loaded_.emplace(architecture, repository_.Load(architecture)).first;
    }
    return found->second;
  }

 private:
  Repository& repository_;
  std::map<Architecture, PackageIndex> loaded_;
};

LockedPlatform LockPlatform(const LockRequest& request, const specs::Platform& platform,
                            const KeptVersions& kept, Indexes& indexes, LockContext& context,
                            specs::Lock& lock) {
  const specs::Spec& spec = request.loaded.spec;
  LockedPlatform locked{
      .platform = platform,
      .packages = LockDebian(spec, indexes.For(platform.architecture), platform, kept)};
  const LockedPackage& python =
      FindLocked(locked.packages, fmt::format("python{}-minimal", spec.python.version));
  const std::string version = PythonVersionOf(python.version);
  if (!lock.python_version.empty() && lock.python_version != version) {
    throw specs::Error(fmt::format("the archive has Python {} for {} and {} for another platform",
                                   version, platform.Render(), lock.python_version))
        .Hint("try again later: the archive is being updated");
  }
  lock.python_version = version;
  std::vector<LockedPackage> wheels = LockPython(request.loaded, platform, version, kept, context);
  std::move(wheels.begin(), wheels.end(), std::back_inserter(locked.packages));
  return locked;
}

}  // namespace

specs::Lock MakeLock(const LockRequest& request, LockContext context) {
  const specs::Spec& spec = request.loaded.spec;
  const KeptVersions kept{.previous = request.previous,
                          .upgrade_all = request.upgrade_all,
                          .upgrades = &request.upgrades};
  specs::Lock lock{.inputs = specs::ResolutionInputs(spec), .packer = request.packer};
  Indexes indexes(context.repository);
  for (const specs::Platform& platform : spec.image.platforms) {
    specs::WithContext(fmt::format("while resolving for {}", platform.Render()), [&] {
      lock.platforms.push_back(LockPlatform(request, platform, kept, indexes, context, lock));
    });
  }
  const LockedPackage& python = FindLocked(lock.platforms.front().packages,
                                           fmt::format("python{}-minimal", spec.python.version));
  for (Architecture host : {Architecture::kAmd64, Architecture::kArm64}) {
    lock.compilers.push_back(
        LockCompiler(indexes.For(host), {host}, spec.python.version, python.version));
  }
  lock.suites = context.repository.suites();
  return lock;
}

bool LockMatches(const specs::Lock& lock, const specs::Spec& spec) {
  if (lock.inputs != specs::ResolutionInputs(spec)) return false;
  return std::all_of(
      spec.image.platforms.begin(), spec.image.platforms.end(), [&](const specs::Platform& wanted) {
        return std::any_of(lock.platforms.begin(), lock.platforms.end(),
                           [&](const LockedPlatform& has) { return has.platform == wanted; });
      });
}

}  // namespace imgbuild::builder
