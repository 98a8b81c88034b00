#include "builder/assemble/state_stage.h"

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

// Wheels of the CUDA section, for its place in the file system.
std::vector<const PackageFacts*> CudaWheels(const std::vector<ReadyPackage>& packages) {
  std::vector<const PackageFacts*> wheels;
  for (const ReadyPackage& package : packages) {
    const specs::LockedPackage& locked = *package.locked;
    if (locked.kind == specs::PackageKind::kWheel && locked.layer == specs::kCudaRoot) {
      wheels.push_back(&package.facts);
    }
  }
  return wheels;
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

// Those that the CUDA section changes, too.
void TakeLinkerFiles(layers::ContentTree& from, layers::ContentTree& into) {
  for (std::string_view path : {kLinkerCache, kLinkerConf}) {
    auto node = from.extract(std::string(path));
    if (!node.empty()) into.insert(std::move(node));
  }
}

StateStage OnDebian(const specs::Spec& spec, const specs::Platform& platform,
                    const std::vector<ReadyPackage>& packages, const UserContent& user) {
  StateInput input{.suite = spec.system.suite,
                   .profile = spec.system.profile,
                   .architecture = platform.architecture,
                   .packages = DebFacts(packages),
                   .others = {},
                   .timezone = spec.image.timezone,
                   .workdir = spec.image.workdir,
                   .certificates = Certificates(spec, user),
                   .library_dirs = {}};
  StateStage stage;
  if (specs::CudaInForce(spec.cuda, platform)) {
    if (spec.cuda.provider == "debian") {
      stage.state.emplace(kCudaHome.substr(1), layers::MakeSymlink(std::string(kDebianCudaHome)));
    } else {
      input.others = CudaWheels(packages);
      CudaView cuda = ViewOf(spec, input.others);
      input.library_dirs = std::move(cuda.library_dirs);
      stage.state.merge(cuda.files);
    }
  }
  SystemState system = MakeSystemState(input);
  TakeLinkerFiles(system.files, stage.state);
  stage.system = std::move(system.files);
  stage.warnings = std::move(system.warnings);
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
