#include <cstdio>

#include <fmt/core.h>
#include <unistd.h>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/container.h"
#include "builder/cli/delivery.h"
#include "specs/base/error.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

void BuildOne(Session& session, BuildArguments& arguments, const specs::LoadedSpec& loaded) {
  Stopwatch stopwatch;
  Delivery delivery(session, arguments, loaded);
  arguments.lock.base_bytes = delivery.base_bytes();
  arguments.lock.registry = arguments.registry;
  const FoundLock found = FindOrMakeLock(session, arguments.spec, loaded, arguments.lock);
  std::vector<PhaseTime> phases = {{"lock", stopwatch.Lap()}};
  delivery.Run(found.lock, stopwatch, phases);

  BuildSummary summary = delivery.Summary();
  summary.phases = std::move(phases);
  summary.lock_file = found.file;
  summary.resolved = found.resolved;
  summary.notes = specs::CudaNotes(loaded.spec, found.lock);
  summary.uid = geteuid();
  summary.gpu = HasGpu();
  if (session.options().style == ReportStyle::kJson) {
    fmt::print("{}\n", RenderSummaryJson(summary));
  } else {
    session.progress().Info(RenderSummary(summary));
  }
  std::fflush(stdout);
}

int Build(const GlobalOptions& options, BuildArguments& arguments) {
  Session session(options);
  if (arguments.spec.files.empty()) arguments.spec.files = {"spec.toml"};
  if (arguments.spec.files.size() > 1 && !arguments.outputs.empty()) {
    throw specs::Error(specs::ErrorKind::kUsage, "-o names one output, but several specs are given")
        .Hint("leave -o out: each image goes to NAME.oci");
  }
  if (arguments.spec.files.size() > 1 && !arguments.pushes.empty()) {
    throw specs::Error(specs::ErrorKind::kUsage,
                       "--push names one image, but several specs are given")
        .Hint("build them one by one, or push the layouts afterwards: imgbuild push");
  }
  // What is wrong with any of them is told before the first is built.
  std::vector<specs::LoadedSpec> all;
  for (const std::string& file : arguments.spec.files) {
    specs::WithContext("while building " + file,
                       [&] { all.push_back(session.Load(arguments.spec, file)); });
  }
  RequireApart(all);
  for (const specs::LoadedSpec& loaded : all) {
    specs::WithContext("while building " + loaded.sources.file,
                       [&] { BuildOne(session, arguments, loaded); });
  }
  return 0;
}

}  // namespace

void AddBuildCommand(Command app, const GlobalOptions& options, RunCommand& run) {
  auto arguments = std::make_shared<BuildArguments>();
  Command command = app.AddCommand("build", "Build images from specs");
  AddSpecOptions(command, arguments->spec);
  command
      .AddOption("-o,--output", arguments->outputs,
                 "oci:DIR[:TAG], oci-archive:FILE or docker-archive:FILE; may be repeated")
      .TypeName("OUTPUT")
      .Repeatable();
  command
      .AddOption("--push", arguments->pushes,
                 "Push there, each layer as soon as it is made; no layout is written then "
                 "without -o; may be repeated")
      .TypeName("docker://HOST/NAME[:TAG]")
      .Repeatable();
  AddAnnotationOption(command, arguments->annotations);
  AddCacheOptions(command, arguments->cache);
  AddRegistryOptions(command, arguments->registry);
  command.AddOption("--compression", arguments->compression, "zstd or gzip").TypeName("CODEC");
  command.AddFlag("--locked", arguments->lock.locked, "Refuse to resolve: the lock must match");
  command.AddFlag("--check", arguments->check,
                  "Build again in an empty cache and compare the images");
  command.WhenGiven([&options, &run, arguments] {
    run = [&options, arguments] { return Build(options, *arguments); };
  });
}

}  // namespace imgbuild::builder
