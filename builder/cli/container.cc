#include "builder/cli/container.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <unistd.h>

#include "builder/cli/base_access.h"
#include "builder/cli/build_work.h"
#include "builder/engine/host_folder.h"
#include "builder/engine/load.h"
#include "builder/engine/spec_plan.h"
#include "builder/host/environment.h"
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
    "PIP_INDEX_URL", "UV_INDEX_URL", "PIP_EXTRA_INDEX_URL",
};

// What this machine and this process add to a plan.
void AddHost(RunPlan& plan) {
  const Environment environment = Environment::OfProcess();
  plan.folder = fs::current_path().string();
  plan.label = LabelFor(plan.folder, environment.Get("HOME").value_or(""));
  plan.uid = geteuid();
  for (const char* name : kPassedOn) {
    if (environment.Get(name)) plan.variables.emplace_back(name);
  }
  for (const std::string& name : plan.secrets) {
    if (environment.Get(name)) plan.variables.push_back(name);
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
  LockOptions lock_options = options.lock;
  lock_options.base_bytes = layers::LayerBytes::kKept;
  const FoundLock found = FindOrMakeLock(session, options.spec, loaded, lock_options);
  const std::unique_ptr<OpenedBase> base =
      OpenBase(session, loaded.spec, found.lock, layers::LayerBytes::kKept);
  BuiltImage built = WithBuildContext({.store = session.store(),
                                       .session = session,
                                       .loaded = loaded,
                                       .lock = found.lock,
                                       .compression = layers::Compression::kZstd,
                                       .base = base.get()},
                                      BuildImage);
  if (base) base->FetchLayers(built.image);
  environment.image = std::move(built.image);
  environment.plan = options.services ? PlanServices(loaded.spec) : PlanCommand(loaded.spec);
  AddHost(environment.plan);
  return environment;
}

Container PrepareContainer(Session& session, const ContainerOptions& options) {
  Engine engine = FindEngine(Environment::OfProcess(), geteuid());
  BuiltEnvironment environment = BuildEnvironment(session, options);
  Container container{.engine = std::move(engine),
                      .loaded = std::move(environment.loaded),
                      .digest = environment.image.root.digest.Hex(),
                      .plan = std::move(environment.plan)};
  const std::string& name = container.loaded.spec.image.name;
  container.plan.image = LoadImage(container.engine, environment.image,
                                   name.substr(name.rfind('/') + 1), session.store());
  return container;
}

void Become(Session& session, const Container& container) {
  const std::vector<std::string> words = RunArguments(container.engine, container.plan);
  session.progress().Detail(specs::Join(words, " "));
  std::fflush(nullptr);
  BecomeProgram(words);
}

}  // namespace imgbuild::builder
