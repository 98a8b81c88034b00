#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "builder/assemble/gpu_code.h"
#include "builder/cli/commands.h"
#include "builder/cli/lock_session.h"
#include "builder/plan/cuda_preflight.h"
#include "builder/plan/layer_plan.h"
#include "specs/base/text.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

struct PlanArguments {
  SpecOptions spec;
  LockOptions lock;
};

void PrintLayer(const LayerPlan& layer, const specs::LockedPlatform& platform,
                const layers::Store& store) {
  std::uint64_t size = 0;
  std::size_t cached = 0;
  std::string names;
  for (std::size_t index : layer.packages) {
    const specs::LockedPackage& package = platform.packages[index];
    size += package.size;
    cached += store.FindDownload(package.sha256) ? 1 : 0;
    names += fmt::format("{}{} {}", names.empty() ? "" : ", ", package.name, package.version);
  }
  if (layer.packages.empty()) {
    fmt::print("  {}\n", layer.name);
    return;
  }
  fmt::print("  {:<28} {:>12}  {:>8}  {} cached\n", layer.name,
             specs::Count(layer.packages.size(), "package"), specs::HumanBytes(size), cached);
  fmt::print("      {}\n", names);
}

int Plan(const GlobalOptions& options, PlanArguments& arguments) {
  Session session(options);
  if (arguments.spec.files.empty()) arguments.spec.files = {"spec.toml"};
  for (const std::string& file : arguments.spec.files) {
    const specs::LoadedSpec loaded = session.Load(arguments.spec, file);
    const FoundLock found = FindOrMakeLock(session, arguments.spec, loaded, arguments.lock);
    for (const specs::Platform& wanted : loaded.spec.image.platforms) {
      const specs::LockedPlatform& locked = specs::LockedFor(found.lock, wanted);
      const specs::LockedPlatform platform = specs::PackagesInForce(loaded.spec.cuda, locked);
      fmt::print("{} for {}, Python {}\n", loaded.spec.image.name, platform.platform.Render(),
                 found.lock.python_version);
      if (found.lock.base) {
        fmt::print("  on {}@{}\n", found.lock.base->image, found.lock.base->digest.Oci());
      }
      const std::string cuda = CudaNote(loaded.spec.cuda, locked);
      if (!cuda.empty()) fmt::print("  {}\n", cuda);
      const CudaPreflight preflight = CheckCuda(loaded.spec, platform);
      if (!preflight.driver.empty()) {
        fmt::print("  needs a driver that supports CUDA {} or later\n", preflight.driver);
      }
      if (const auto code = KnownGpuCode(platform, session.store())) {
        fmt::print("  GPU code: {}\n", DescribeGpuCode(*code));
      }
      for (const std::string& warning : preflight.warnings) session.progress().Warning(warning);
      for (const LayerPlan& layer : PlanLayers(loaded.spec, platform)) {
        PrintLayer(layer, platform, session.store());
      }
    }
  }
  return 0;
}

}  // namespace

void AddPlanCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run) {
  auto arguments = std::make_shared<PlanArguments>();
  CLI::App* command =
      app.add_subcommand("plan", "Show layers, packages, sizes and what is cached; build nothing");
  AddSpecOptions(*command, arguments->spec);
  command->add_flag("--locked", arguments->lock.locked, "Refuse to resolve: the lock must match");
  command->callback([&options, &run, arguments] {
    run = [&options, arguments] { return Plan(options, *arguments); };
  });
}

}  // namespace imgbuild::builder
