#include "builder/assemble/image_config_maker.h"

#include <algorithm>

#include <fmt/core.h>

#include "builder/assemble/cuda_view.h"
#include "builder/assemble/gpu_code.h"
#include "builder/assemble/image_files.h"
#include "builder/base/base_python.h"
#include "builder/plan/cuda_preflight.h"
#include "specs/base/text.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

constexpr const char* kCudaDriverLabel = "imgbuild.cuda.driver";

// What nvcc's users and nvidia-container-toolkit look at ("User Guide", Environment Variables).
void AddCudaEnvironment(const specs::CudaSection& cuda, std::map<std::string, std::string>& env) {
  env["CUDA_HOME"] = kCudaHome;
  std::string& path = env["PATH"];
  path.insert(std::min(path.find(':'), path.size()), fmt::format(":{}/bin", kCudaHome));
  env["NVIDIA_VISIBLE_DEVICES"] = "all";
  env["NVIDIA_DRIVER_CAPABILITIES"] = "compute,utility";
  const std::vector<std::string_view> version = specs::Split(cuda.version, '.');
  env["NVIDIA_REQUIRE_CUDA"] = fmt::format("cuda>={}.{}", version[0], version[1]);
  // Debian's nvcc looks for a gcc before it reads where its profile has one; the compiler that it
  // accepts, of nvidia-cuda-toolkit-gcc, has another name.
  if (cuda.provider == "debian") env.emplace("NVCC_PREPEND_FLAGS", "-ccbin=/usr/bin/cuda-g++");
}

using Environment = std::map<std::string, std::string>;

// "12.4", of the CUDA that lies in the base: what its makers require of the host by the variable
// that nvidia-container-toolkit checks, "cuda>=12.4 brand=tesla,driver>=470 …", else its version.
std::string CudaOfBase(const Environment& env) {
  const auto value = [&](const char* name) -> std::string_view {
    const auto found = env.find(name);
    return found == env.end() ? std::string_view() : found->second;
  };
  for (std::string_view word : specs::SplitWords(value("NVIDIA_REQUIRE_CUDA"))) {
    if (!word.starts_with("cuda>=")) continue;
    word.remove_prefix(std::string_view("cuda>=").size());
    return std::string(word.substr(0, word.find(',')));
  }
  const std::vector<std::string_view> version = specs::Split(value("CUDA_VERSION"), '.');
  return version.size() < 2 ? "" : fmt::format("{}.{}", version[0], version[1]);
}

Environment BaseEnvironment(const layers::BaseImage& base) {
  Environment env;
  for (const std::string& variable : base.config.env) {
    const std::size_t equals = variable.find('=');
    if (equals != std::string::npos) env[variable.substr(0, equals)] = variable.substr(equals + 1);
  }
  env["PATH"] = BasePath(base);
  return env;
}

// As layers over a base inherit it ("FROM" of a Dockerfile).
void TakeFromBase(const layers::BaseImage& base, specs::ImageConfig& config) {
  config.created = std::max(config.created, base.config.created);
  for (const auto& [name, value] : base.config.labels) config.labels.emplace(name, value);
  for (const std::string& port : base.config.exposed_ports) {
    const auto number = specs::ParseUnsigned(std::string_view(port).substr(0, port.find('/')));
    if (port.ends_with("/tcp") && number && *number > 0 && *number <= 65'535) {
      config.exposed_ports.push_back(static_cast<std::uint32_t>(*number));
    }
  }
  std::ranges::sort(config.exposed_ports);
  config.exposed_ports.erase(std::unique(config.exposed_ports.begin(), config.exposed_ports.end()),
                             config.exposed_ports.end());
}

// Folders that the base's own linker cache does not know.
void AddLibraryPath(const std::vector<std::string>& folders, Environment& env) {
  if (folders.empty()) return;
  std::string& path = env["LD_LIBRARY_PATH"];
  path = specs::Join(folders, ":") + (path.empty() ? "" : ":") + path;
}

}  // namespace

specs::ImageConfig MakeImageConfig(const specs::Spec& spec, const specs::Lock& lock,
                                   const specs::Platform& platform, const OnBase& on) {
  specs::ImageConfig config;
  config.platform = platform;
  for (const specs::LockedSuite& suite : lock.suites) {
    config.created = std::max(config.created, suite.date);
  }
  config.user = spec.image.user;
  config.exposed_ports = ServicePorts(spec);
  Environment env;
  if (on.base != nullptr) env = BaseEnvironment(*on.base);
  env.emplace("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
  env["PATH"] = fmt::format("{}/bin:{}", kVenvPath, env["PATH"]);
  env["VIRTUAL_ENV"] = kVenvPath;
  env.emplace("LANG", "C.UTF-8");
  if (specs::CudaInForce(spec.cuda, platform)) AddCudaEnvironment(spec.cuda, env);
  AddLibraryPath(on.library_dirs, env);
  for (const auto& [name, value] : spec.image.env) env[name] = value;
  config.env.assign(env.begin(), env.end());
  config.entrypoint = spec.image.entrypoint;
  if (config.entrypoint.empty()) config.entrypoint = {std::string(specs::kSupervisorPath)};
  config.command = spec.image.command;
  if (specs::StartsServices(spec)) {
    config.health = specs::HealthCheck{.command = specs::HealthCommand(specs::Health::kReady)};
  }
  config.workdir = spec.image.workdir;
  config.labels = spec.image.labels;
  config.labels.emplace("org.opencontainers.image.title", spec.image.name);
  if (on.base != nullptr) TakeFromBase(*on.base, config);
  return config;
}

void AddCudaLabels(const specs::Spec& spec, const specs::LockedPlatform& locked,
                   const GpuCode& code, const layers::BaseImage* base, specs::ImageConfig& config) {
  if (!code.every.empty()) config.labels.emplace("imgbuild.cuda.code", RenderGpuCode(code.every));
  if (!code.some.empty()) {
    config.labels.emplace("imgbuild.cuda.code-in-some", RenderGpuCode(code.some));
  }
  std::string driver = CheckCuda(spec, locked).driver;
  if (driver.empty() && base != nullptr) driver = CudaOfBase(BaseEnvironment(*base));
  if (!driver.empty()) config.labels.emplace(kCudaDriverLabel, "cuda>=" + driver);
  if (!specs::CudaInForce(spec.cuda, locked.platform)) return;
  config.labels.emplace("imgbuild.cuda.version", spec.cuda.version);
  if (spec.cuda.provider == "debian") {
    config.labels.emplace("imgbuild.cuda.licence",
                          "NVIDIA Software License Agreement, not free: "
                          "/usr/share/doc/nvidia-cuda-toolkit/copyright");
  }
}

bool WantsCudaDriver(const specs::ImageConfig& config) {
  return config.labels.contains(kCudaDriverLabel);
}

}  // namespace imgbuild::builder
