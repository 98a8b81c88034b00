#include "builder/assemble/image_config_maker.h"

#include <algorithm>

#include <fmt/core.h>

#include "builder/assemble/cuda_view.h"
#include "builder/assemble/gpu_code.h"
#include "builder/assemble/image_files.h"
#include "builder/plan/cuda_preflight.h"
#include "specs/base/text.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {

namespace {

// What nvcc's users and nvidia-container-toolkit look at ("User Guide", Environment Variables).
void AddCudaEnvironment(const specs::CudaSection& cuda, std::map<std::string, std::string>& env) {
  env["CUDA_HOME"] = kCudaHome;
  std::string& path = env["PATH"];
  path.insert(path.find(':'), fmt::format(":{}/bin", kCudaHome));
  env["NVIDIA_VISIBLE_DEVICES"] = "all";
  env["NVIDIA_DRIVER_CAPABILITIES"] = "compute,utility";
  const std::vector<std::string_view> version = specs::Split(cuda.version, '.');
  env["NVIDIA_REQUIRE_CUDA"] = fmt::format("cuda>={}.{}", version[0], version[1]);
}

}  // namespace

specs::ImageConfig MakeImageConfig(const specs::Spec& spec, const specs::Lock& lock,
                                   const specs::Platform& platform) {
  specs::ImageConfig config;
  config.platform = platform;
  for (const specs::LockedSuite& suite : lock.suites) {
    config.created = std::max(config.created, suite.date);
  }
  config.user = spec.image.user;
  config.exposed_ports = ServicePorts(spec);
  std::map<std::string, std::string> env = {
      {"PATH", fmt::format("{}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                           kVenvPath)},
      {"VIRTUAL_ENV", std::string(kVenvPath)},
      {"LANG", "C.UTF-8"}};
  if (specs::CudaInForce(spec.cuda, platform)) AddCudaEnvironment(spec.cuda, env);
  for (const auto& [name, value] : spec.image.env) env[name] = value;
  config.env.assign(env.begin(), env.end());
  config.entrypoint = spec.image.entrypoint;
  if (config.entrypoint.empty()) config.entrypoint = {std::string(kSupervisorPath)};
  config.command = spec.image.command;
  config.workdir = spec.image.workdir;
  config.labels = spec.image.labels;
  config.labels.emplace("org.opencontainers.image.title", spec.image.name);
  return config;
}

void AddCudaLabels(const specs::Spec& spec, const specs::LockedPlatform& locked,
                   const std::set<std::string>& gpu_code, specs::ImageConfig& config) {
  if (!gpu_code.empty()) config.labels.emplace("imgbuild.cuda.code", RenderGpuCode(gpu_code));
  const std::string driver = CheckCuda(spec, locked).driver;
  if (driver.empty()) return;
  config.labels.emplace("imgbuild.cuda.driver", driver);
  if (specs::CudaInForce(spec.cuda, locked.platform)) {
    config.labels.emplace("imgbuild.cuda.version", spec.cuda.version);
    if (spec.cuda.provider == "debian") {
      config.labels.emplace("imgbuild.cuda.licence",
                            "NVIDIA Software License Agreement, not free: "
                            "/usr/share/doc/nvidia-cuda-toolkit/copyright");
    }
  }
}

}  // namespace imgbuild::builder
