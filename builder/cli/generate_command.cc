// imgbuild generate: what `up` would do, as a file for another program.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>

#include <fmt/core.h>
#include <unistd.h>

#include "builder/assemble/build_image.h"
#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/container.h"
#include "builder/cli/lock_session.h"
#include "builder/engine/host_folder.h"
#include "builder/engine/spec_plan.h"
#include "builder/generate/deployment.h"
#include "builder/host/environment.h"
#include "builder/plan/cuda_preflight.h"
#include "builder/rootless/image_user.h"
#include "layers/image/image_accounts.h"
#include "layers/io/atomic_file.h"
#include "specs/base/error.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

struct Format {
  const char* name;
  const char* description;
  std::string (*render)(const Deployment&);
};

constexpr Format kFormats[] = {
    {"quadlet", "A unit for systemd and podman", RenderQuadlet},
    {"compose", "A file for Docker Compose and podman-compose", RenderCompose},
    {"kubernetes", "Manifests for Kubernetes, or podman kube play", RenderKubernetes},
    {"devcontainer", "A devcontainer.json", RenderDevcontainer},
};

struct GenerateArguments {
  SpecOptions spec;
  std::string output;
  std::string image;
  std::string engine;
};

// The engine that the file is for: this machine's, if it has one.
Engine EngineFor(const std::string& name) {
  if (!name.empty()) {
    return FindEngine(Environment::Of({{"IMGBUILD_ENGINE", name}}), geteuid());
  }
  try {
    return FindEngine(Environment::OfProcess(), geteuid());
  } catch (const specs::Error& error) {
    if (error.kind() == specs::ErrorKind::kUsage) throw;
    return {EngineKind::kPodman, "podman", geteuid() == 0};
  }
}

// Whether what the lock names, or would name, asks for a driver.
bool AsksForGpu(Session& session, const GenerateArguments& arguments,
                const specs::LoadedSpec& loaded) {
  const specs::Platform& platform = loaded.spec.image.platforms.front();
  const auto lock = LockAtHand(session, arguments.spec, loaded);
  if (!lock) return specs::CudaInForce(loaded.spec.cuda, platform);
  const specs::LockedPlatform packages =
      specs::PackagesInForce(loaded.spec.cuda, specs::LockedFor(*lock, platform));
  return !CheckCuda(loaded.spec, packages).driver.empty();
}

// The uid that the image starts as, where it was built here.
std::optional<std::uint32_t> BuiltUser(Session& session, const GenerateArguments& arguments,
                                       const specs::LoadedSpec& loaded) {
  try {
    const auto lock = LockAtHand(session, arguments.spec, loaded);
    if (!lock) return std::nullopt;
    const auto image = FindBuiltImage({.loaded = loaded, .lock = *lock}, session.store());
    if (!image) return std::nullopt;
    const layers::PlatformImage& platform = image->platforms.front();
    const layers::ImageAccounts accounts = layers::ReadAccounts(session.store(), platform);
    return ImageUser(platform.config.user, accounts.passwd, accounts.group).uid;
  } catch (const specs::Error& error) {
    session.progress().Detail(error.message());
    return std::nullopt;
  }
}

// A cluster knows users by number, and the image alone knows the number of a name.
void LookUpUser(Session& session, const GenerateArguments& arguments,
                const specs::LoadedSpec& loaded, RunPlan& plan) {
  if (plan.image_user) return;
  plan.image_user = BuiltUser(session, arguments, loaded);
  if (plan.image_user) return;
  session.progress().Warning(fmt::format(
      "the number of the user {} is known once the image is built: without runAsUser, clusters "
      "that allow no root may refuse the pod; imgbuild build {}, then this again",
      loaded.spec.image.user, loaded.sources.file));
}

RunPlan PlanFor(Session& session, const specs::LoadedSpec& loaded,
                const GenerateArguments& arguments, const Format& format, const Engine& engine) {
  const specs::Spec& spec = loaded.spec;
  if (spec.services.empty()) {
    throw specs::Error(specs::ErrorKind::kUsage, fmt::format("{} has no services", spec.image.name))
        .Hint("add one, such as: [services.jupyter] with preset = \"jupyterlab\"");
  }
  RunPlan plan = PlanServices(spec);
  plan.image = arguments.image;
  if (plan.image.empty()) plan.image = ImageReference(spec);
  plan.uid = CallerOf(engine, geteuid());
  const std::string folder = fs::current_path().string();
  plan.label = LabelFor(folder, Environment::OfProcess().Get("HOME").value_or(""));
  // A cluster has users of its own; a compose file is for the folder that it lies in.
  if (format.render == RenderKubernetes) {
    LookUpUser(session, arguments, loaded, plan);
    plan.uid = CallerInCluster(plan);
  }
  plan.folder = format.render == RenderCompose ? "." : folder;
  AddHome(plan);
  return plan;
}

int Generate(const GlobalOptions& options, const GenerateArguments& arguments,
             const Format& format) {
  Session session(options);
  const specs::LoadedSpec loaded = LoadForThisMachine(session, arguments.spec);
  Deployment deployment{.engine = EngineFor(arguments.engine),
                        .plan = {},
                        .spec = fs::path(loaded.sources.file).filename().string()};
  deployment.plan = PlanFor(session, loaded, arguments, format, deployment.engine);
  deployment.plan.gpu = AsksForGpu(session, arguments, loaded);
  const std::string text = format.render(deployment);
  if (arguments.output.empty() || arguments.output == "-") {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return std::fflush(stdout) == 0 ? 0 : 1;
  }
  layers::WriteFileAtomically(arguments.output, text);
  session.progress().Info("wrote " + arguments.output);
  return 0;
}

}  // namespace

void AddGenerateCommand(Command app, const GlobalOptions& options, RunCommand& run) {
  Command generate = app.AddCommand("generate", "Write what starts the environment in other ways");
  generate.RequireCommand();
  for (const Format& format : kFormats) {
    auto arguments = std::make_shared<GenerateArguments>();
    arguments->spec.local_files = LocalFiles::kIgnored;
    Command command = generate.AddCommand(format.name, format.description);
    AddSpecOptions(command, arguments->spec);
    command.AddOption("-o,--output", arguments->output, "Where to; standard output without it")
        .TypeName("FILE");
    command
        .AddOption("--image", arguments->image,
                   "The image's reference; localhost/NAME:TAG where none is given")
        .TypeName("REFERENCE");
    command.AddOption("--engine", arguments->engine, "podman, docker or nerdctl")
        .TypeName("ENGINE");
    command.WhenGiven([&options, &run, arguments, &format] {
      run = [&options, arguments, &format] { return Generate(options, *arguments, format); };
    });
  }
}

}  // namespace imgbuild::builder
