#include "builder/assemble/state_stage.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "builder/assemble/assembly.h"
#include "builder/assemble/cuda_view.h"
#include "builder/assemble/image_files.h"
#include "builder/base/base_state.h"
#include "builder/state/ld_cache.h"
#include "builder/state/state.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

using layers::PackageFacts;

template <typename Predicate>
std::vector<const PackageFacts*> WheelsThat(const std::vector<ReadyPackage>& packages,
                                            Predicate wanted) {
  std::vector<const PackageFacts*> wheels;
  for (const ReadyPackage& package : packages) {
    const specs::LockedPackage& locked = *package.locked;
    if (locked.kind == specs::PackageKind::kWheel && wanted(locked)) {
      wheels.push_back(&package.facts);
    }
  }
  return wheels;
}

// Wheels of the CUDA section, for its place in the file system.
std::vector<const PackageFacts*> CudaWheels(const std::vector<ReadyPackage>& packages) {
  return WheelsThat(packages, [](const specs::LockedPackage& locked) {
    return locked.layer == specs::kCudaRoot;
  });
}

// cuDNN beside Debian's CUDA, which has none: a wheel among the Python packages.
std::vector<const PackageFacts*> CudnnWheels(const std::vector<ReadyPackage>& packages) {
  return WheelsThat(packages, [](const specs::LockedPackage& locked) {
    return locked.name.starts_with("nvidia-cudnn-cu");
  });
}

CudaView ViewOf(const specs::Spec& spec, const std::vector<const PackageFacts*>& wheels) {
  return MakeCudaView(wheels, fmt::format("{}/lib/python{}/site-packages", kVenvPath.substr(1),
                                          spec.python.version));
}

std::vector<ExtraCertificate> Certificates(const specs::Spec& spec, const UserContent& user) {
  std::vector<ExtraCertificate> certificates;
  for (std::size_t i = 0; i < user.certificates.size(); ++i) {
    const std::string& path = spec.system.certificates[i];
    certificates.push_back({path.substr(path.rfind('/') + 1), user.certificates[i]});
  }
  return certificates;
}

// Debian packages that are there without the CUDA section, too.
std::vector<const PackageFacts*> LastingDebs(const std::vector<ReadyPackage>& packages) {
  std::vector<const PackageFacts*> debs;
  for (const ReadyPackage& package : packages) {
    const specs::LockedPackage& locked = *package.locked;
    if (locked.kind == specs::PackageKind::kDeb && locked.only_with.empty()) {
      debs.push_back(&package.facts);
    }
  }
  return debs;
}

// What has to lie over `lasting` so that it is as `all`: what differs, and the linker's files,
// which follow from wheels as well. What `all` has not cannot be taken away again: then nothing is
// left of the part that lasts.
void Divide(layers::ContentTree all, layers::ContentTree lasting, StateStage& stage) {
  const auto gone = [&](const auto& entry) {
    return entry.second.node.type != layers::NodeType::kDirectory && !all.contains(entry.first);
  };
  if (std::ranges::any_of(lasting, gone)) lasting = all;
  for (std::string_view path : {kLinkerCache, kLinkerConf}) lasting.erase(std::string(path));
  std::erase_if(all, [&](const auto& entry) {
    const auto same = lasting.find(entry.first);
    return same != lasting.end() && same->second == entry.second;
  });
  stage.state.merge(all);
  stage.system = std::move(lasting);
}

StateStage OnDebian(const specs::Spec& spec, const specs::Platform& platform,
                    const std::vector<ReadyPackage>& packages, const UserContent& user) {
  StateInput input{.suite = spec.system.suite,
                   .profile = spec.system.profile,
                   .architecture = platform.architecture,
                   .packages = LastingDebs(packages),
                   .others = {},
                   .timezone = spec.image.timezone,
                   .workdir = spec.image.workdir,
                   .certificates = Certificates(spec, user),
                   .library_dirs = {}};
  StateStage stage;
  SystemState lasting = MakeSystemState(input);
  if (specs::CudaInForce(spec.cuda, platform)) {
    input.packages = DebFacts(packages);
    if (spec.cuda.provider == "debian") {
      stage.state.merge(MakeDebianCudaView(input.packages).files);
      input.others = CudnnWheels(packages);
      input.library_dirs = ViewOf(spec, input.others).library_dirs;
    } else {
      input.others = CudaWheels(packages);
      CudaView cuda = ViewOf(spec, input.others);
      input.library_dirs = std::move(cuda.library_dirs);
      stage.state.merge(cuda.files);
    }
  }
  SystemState all = specs::CudaInForce(spec.cuda, platform) ? MakeSystemState(input) : lasting;
  Divide(std::move(all.files), std::move(lasting.files), stage);
  stage.warnings = std::move(all.warnings);
  return stage;
}

StateStage OnBase(const specs::Spec& spec, const specs::Platform& platform,
                  const std::vector<ReadyPackage>& packages, const UserContent& user,
                  const layers::BaseImage& base) {
  BaseStateInput input{.base = base,
                       .workdir = spec.image.workdir,
                       .timezone = {},
                       .certificates = Certificates(spec, user)};
  if (spec.image.env.contains("TZ")) input.timezone = spec.image.timezone;
  SystemState system = MakeBaseState(input);
  StateStage stage{.system = std::move(system.files),
                   .state = {},
                   .warnings = std::move(system.warnings),
                   .library_dirs = {}};
  if (specs::CudaInForce(spec.cuda, platform)) {
    CudaView cuda = ViewOf(spec, CudaWheels(packages));
    stage.library_dirs = std::move(cuda.library_dirs);
    stage.state.merge(cuda.files);
  }
  return stage;
}

}  // namespace

StateStage MakeState(const BuildRequest& request, const specs::Platform& platform,
                     const std::vector<ReadyPackage>& packages, const UserContent& user,
                     const layers::BaseImage* base) {
  const specs::Spec& spec = request.loaded.spec;
  if (base != nullptr) return OnBase(spec, platform, packages, user, *base);
  return OnDebian(spec, platform, packages, user);
}

}  // namespace imgbuild::builder
