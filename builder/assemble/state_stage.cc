#include "builder/assemble/state_stage.h"

#include <utility>

#include <fmt/core.h>

#include "builder/assemble/assembly.h"
#include "builder/assemble/cuda_view.h"
#include "builder/assemble/image_files.h"
#include "builder/base/base_state.h"
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

SystemState DebianState(const specs::Spec& spec, const specs::Platform& platform,
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
  if (!specs::CudaInForce(spec.cuda, platform)) return MakeSystemState(input);
  if (spec.cuda.provider == "debian") {
    SystemState state = MakeSystemState(input);
    state.files.emplace(kCudaHome.substr(1), layers::MakeSymlink(std::string(kDebianCudaHome)));
    return state;
  }
  input.others = CudaWheels(packages);
  CudaView cuda = ViewOf(spec, input.others);
  input.library_dirs = std::move(cuda.library_dirs);
  SystemState state = MakeSystemState(input);
  state.files.merge(cuda.files);
  return state;
}

}  // namespace

StateStage MakeState(const BuildRequest& request, const specs::Platform& platform,
                     const std::vector<ReadyPackage>& packages, const UserContent& user,
                     const layers::BaseImage* base) {
  const specs::Spec& spec = request.loaded.spec;
  if (base == nullptr) {
    return {.state = DebianState(spec, platform, packages, user), .library_dirs = {}};
  }
  BaseStateInput input{.base = *base,
                       .workdir = spec.image.workdir,
                       .timezone = {},
                       .certificates = Certificates(spec, user)};
  if (spec.image.env.contains("TZ")) input.timezone = spec.image.timezone;
  StateStage stage{.state = MakeBaseState(input), .library_dirs = {}};
  if (specs::CudaInForce(spec.cuda, platform)) {
    CudaView cuda = ViewOf(spec, CudaWheels(packages));
    stage.library_dirs = std::move(cuda.library_dirs);
    stage.state.files.merge(cuda.files);
  }
  return stage;
}

}  // namespace imgbuild::builder
