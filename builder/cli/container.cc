#include "builder/cli/container.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <fmt/core.h>
#include <unistd.h>

#include "builder/assemble/image_config_maker.h"
#include "builder/cli/base_access.h"
#include "builder/cli/build_work.h"
#include "builder/engine/gpu.h"
#include "builder/engine/host_folder.h"
#include "builder/engine/load.h"
#include "builder/engine/ports.h"
#include "builder/engine/spec_plan.h"
#include "builder/engine/token_file.h"
#include "builder/host/environment.h"
#include "builder/host/package_sources.h"
#include "builder/host/program.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

// Of this machine, for programs inside: never in the image.
constexpr const char* kPassedOn[] = {
    "http_proxy",    "https_proxy",  "all_proxy",           "no_proxy",
    "HTTP_PROXY",    "HTTPS_PROXY",  "ALL_PROXY",           "NO_PROXY",
    "PIP_INDEX_URL", "UV_INDEX_URL", "PIP_EXTRA_INDEX_URL", "IMGBUILD_LOG",
};

// Whether systemd runs podman's timers: that of the machine, or the user's own.
bool HasTimers(const Environment& environment) {
  if (geteuid() == 0) return ::access("/run/systemd/system", F_OK) == 0;
  const auto folder = environment.Get("XDG_RUNTIME_DIR");
  return folder && ::access((*folder + "/systemd/private").c_str(), F_OK) == 0;
}

// Where pip and uv find packages is known here, whatever says so. It may have a password: in the
// environment it reaches the engine, and no command line.
void PassIndexOn(Session& session, RunPlan& plan) {
  std::string url;
  try {
    url = FindPythonIndex(Environment::OfProcess(), session.source_config(), session.host_sources())
              .url;
  } catch (const specs::Error&) {
    return;  // nor does the build know one, which did without
  }
  for (const char* name : {"PIP_INDEX_URL", "UV_INDEX_URL"}) {
    if (std::ranges::find(plan.variables, name) != plan.variables.end()) continue;
    ::setenv(name, url.c_str(), 1);
    plan.variables.emplace_back(name);
  }
}

// Those that files of this machine have, which nobody sees in a container: in the environment they
// go the way of those that are variables here.
void TakeTokensFromFiles(const specs::Spec& spec) {
  const Environment environment = Environment::OfProcess();
  for (const specs::Service& service : spec.services) {
    if (service.token.empty()) continue;
    const auto token = TokenFromFile(environment, service.token);
    if (token) ::setenv(service.token.c_str(), token->c_str(), 1);
  }
}

void WarnOfMissingSecrets(Session& session, const RunPlan& plan) {
  for (const SecretVariable& secret : plan.secrets) {
    const bool given = std::ranges::find(plan.variables, secret.name) != plan.variables.end();
    if (given || !secret.required) continue;
    session.progress().Warning(fmt::format(
        "{0} is not set here: the service that takes this secret does not start without it; "
        "{0}=... imgbuild up",
        secret.name));
  }
}

// What this machine and this process add to a plan.
void AddHost(RunPlan& plan) {
  const Environment environment = Environment::OfProcess();
  plan.folder = fs::current_path().string();
  plan.label = LabelFor(plan.folder, environment.Get("HOME").value_or(""));
  plan.health_timer = HasTimers(environment);
  plan.uid = geteuid();
  for (const char* name : kPassedOn) {
    if (environment.Get(name)) plan.variables.emplace_back(name);
  }
  for (const SecretVariable& secret : plan.secrets) {
    if (environment.Get(secret.name)) plan.variables.push_back(secret.name);
  }
  plan.gpu = plan.gpu && HasGpu();
  plan.interactive = isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0;
}

}  // namespace

bool HasGpu() { return ::access("/dev/nvidiactl", F_OK) == 0; }

specs::LoadedSpec LoadForThisMachine(Session& session, SpecOptions options) {
  const std::string file = options.files.empty() ? "spec.toml" : options.files.front();
  specs::LoadedSpec loaded = session.Load(options, file);
  const std::vector<specs::Platform>& platforms = loaded.spec.image.platforms;
  const specs::Platform host = specs::HostPlatform();
  const bool serves_host = std::ranges::find(platforms, host) != platforms.end();
  if (platforms.size() < 2 || !serves_host) return loaded;
  options.platforms = {host.Render()};
  return session.Load(options, file);
}

BuiltEnvironment BuildEnvironment(Session& session, const ContainerOptions& options) {
  BuiltEnvironment environment{
      .loaded = LoadForThisMachine(session, options.spec), .image = {}, .plan = {}};
  const specs::LoadedSpec& loaded = environment.loaded;
  TakeTokensFromFiles(loaded.spec);
  LockOptions lock_options = options.lock;
  lock_options.base_bytes = layers::LayerBytes::kKept;
  const FoundLock found = FindOrMakeLock(session, options.spec, loaded, lock_options);
  const std::unique_ptr<OpenedBase> base =
      OpenBase(session, loaded.spec, found.lock, layers::LayerBytes::kKept, options.lock.registry);
  BuiltImage built = WithBuildContext({.store = session.store(),
                                       .session = session,
                                       .loaded = loaded,
                                       .lock = found.lock,
                                       .compression = layers::Compression::kZstd,
                                       .base = base.get()},
                                      BuildImage);
  TellOfCudaLicence(session, loaded.spec, built);
  if (base) base->FetchLayers(built.image);
  environment.image = std::move(built.image);
  environment.plan = options.services ? PlanServices(loaded.spec) : PlanCommand(loaded.spec);
  RunPlan& plan = environment.plan;
  plan.gpu = WantsCudaDriver(ForThisMachine(environment.image).config);
  AddHost(plan);
  PassIndexOn(session, plan);
  if (options.services) {
    plan.spec = fs::absolute(loaded.sources.file).lexically_normal().string();
    WarnOfMissingSecrets(session, plan);
  }
  return environment;
}

Container PrepareContainer(Session& session, const ContainerOptions& options) {
  Engine engine = FindEngine(Environment::OfProcess(), geteuid());
  RequireMountable(fs::current_path().string());  // whoever has to move should not wait for a build
  BuiltEnvironment environment = BuildEnvironment(session, options);
  Container container{.engine = std::move(engine),
                      .loaded = std::move(environment.loaded),
                      .digest = environment.image.root.digest.Hex(),
                      .plan = std::move(environment.plan)};
  RunPlan& plan = container.plan;
  plan.uid = CallerOf(container.engine, plan.uid);
  if (plan.gpu && container.engine.kind == EngineKind::kPodman && !HasGpuSpecification()) {
    session.progress().Warning(
        "podman knows nothing of this machine's GPU, and the container goes without; to tell it: "
        "nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml");
    plan.gpu = false;
  }
  plan.image = LoadImage(container.engine, environment.image, ImageReference(container.loaded.spec),
                         session.store());
  return container;
}

void PublishPorts(Session& session, RunPlan& plan, const std::vector<PublishedPort>& published) {
  std::vector<std::uint32_t> inside;
  for (const PublishedPort& port : plan.ports) inside.push_back(port.inside);
  plan.ports = ChoosePorts(inside, published);
  for (const PublishedPort& port : plan.ports) {
    const bool is_known = std::ranges::find(published, port) != published.end();
    if (port.inside == port.outside || is_known) continue;
    session.progress().Warning(
        fmt::format("port {} is taken here; what listens on it in the container is at {}",
                    port.inside, port.outside));
  }
}

void Become(Session& session, const Container& container) {
  const std::vector<std::string> words = RunArguments(container.engine, container.plan);
  session.progress().Detail(specs::Join(words, " "));
  session.progress().Flush();
  std::fflush(nullptr);
  BecomeProgram(words);
}

}  // namespace imgbuild::builder
