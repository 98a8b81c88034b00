#include <string>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "builder/assemble/build_image.h"
#include "builder/assemble/gpu_code.h"
#include "builder/cli/build_work.h"
#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/delivery.h"
#include "builder/cli/lock_session.h"
#include "builder/cli/registry_access.h"
#include "builder/plan/cuda_preflight.h"
#include "specs/base/text.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

struct PlanArguments {
  SpecOptions spec;
  LockOptions lock;
  std::string compression = "zstd";
};

// One platform of one spec, and what the store has of it. Borrowed.
struct Planned {
  const specs::LoadedSpec& loaded;
  const specs::Lock& lock;
  const specs::LockedPlatform& platform;  // packages in force
  const PlatformPreview& preview;
  bool unchanged = false;
  std::vector<std::string> notes;
};

std::string StateOf(const LayerPreview& layer, const PlatformPreview& preview) {
  if (layer.made) return "cached, " + specs::HumanBytes(layer.made->size);
  if (preview.layers_known || layer.packages.empty()) return "to be built";
  std::size_t made = 0;
  std::size_t downloaded = 0;
  std::uint64_t size = 0;
  for (std::size_t index : layer.packages) {
    const PackagePreview& package = preview.packages[index];
    made += package.made ? 1 : 0;
    downloaded += !package.made && package.downloaded ? 1 : 0;
    size += package.made.value_or(0);
  }
  const std::size_t all = layer.packages.size();
  if (made == all) return "files cached, " + specs::HumanBytes(size);
  std::string text = fmt::format("files of {} of {} cached", made, all);
  if (downloaded > 0) text += fmt::format(", {} more downloaded", downloaded);
  return text;
}

std::uint64_t ArchiveSize(const LayerPreview& layer, const specs::LockedPlatform& platform) {
  std::uint64_t size = 0;
  for (std::size_t index : layer.packages) size += platform.packages[index].size;
  return size;
}

std::uint64_t BytesToDownload(const Planned& planned) {
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < planned.preview.packages.size(); ++i) {
    const PackagePreview& package = planned.preview.packages[i];
    if (!package.made && !package.downloaded) size += planned.platform.packages[i].size;
  }
  return size;
}

void PrintLayer(const LayerPreview& layer, const Planned& planned) {
  const std::size_t count = layer.packages.size();
  fmt::print("  {:<28} {:>12}  {:>8}  {}\n", layer.name,
             count == 0 ? "" : specs::Count(count, "package"),
             count == 0 ? "" : specs::HumanBytes(ArchiveSize(layer, planned.platform)),
             StateOf(layer, planned.preview));
  std::string names;
  for (std::size_t index : layer.packages) {
    const specs::LockedPackage& package = planned.platform.packages[index];
    names += fmt::format("{}{} {}", names.empty() ? "" : ", ", package.name, package.version);
  }
  if (!names.empty()) fmt::print("      {}\n", names);
}

void Print(const Planned& planned) {
  fmt::print("{} for {}, Python {}{}\n", planned.loaded.spec.image.name,
             planned.platform.platform.Render(), planned.lock.python_version,
             planned.unchanged ? " (unchanged)" : "");
  for (const std::string& note : planned.notes) fmt::print("  {}\n", note);
  for (const LayerPreview& layer : planned.preview.layers) PrintLayer(layer, planned);
  const std::uint64_t bytes = BytesToDownload(planned);
  if (bytes > 0) fmt::print("  to be downloaded: {}\n", specs::HumanBytes(bytes));
}

// {"event":"plan",...}: docs/json.md.
void PrintJson(const Planned& planned) {
  using Json = nlohmann::ordered_json;
  Json layers = Json::array();
  for (const LayerPreview& layer : planned.preview.layers) {
    Json packages = Json::array();
    for (std::size_t index : layer.packages) {
      const specs::LockedPackage& package = planned.platform.packages[index];
      const PackagePreview& known = planned.preview.packages[index];
      packages.push_back({{"name", package.name},
                          {"version", package.version},
                          {"size", package.size},
                          {"downloaded", known.downloaded},
                          {"files-cached", known.made.has_value()}});
    }
    Json entry = {{"name", layer.name}, {"packages", std::move(packages)}};
    if (planned.preview.layers_known) entry["cached"] = layer.made.has_value();
    if (layer.made) {
      entry["digest"] = layer.made->digest.Oci();
      entry["size"] = layer.made->size;
    }
    layers.push_back(std::move(entry));
  }
  const Json event = {{"event", "plan"},
                      {"image", planned.loaded.spec.image.name},
                      {"platform", planned.platform.platform.Render()},
                      {"python", planned.lock.python_version},
                      {"unchanged", planned.unchanged},
                      {"to-download", BytesToDownload(planned)},
                      {"notes", planned.notes},
                      {"layers", std::move(layers)}};
  fmt::print("{}\n", event.dump());
}

// On what it builds, and what of CUDA it has and needs.
std::vector<std::string> NotesOn(const specs::LoadedSpec& loaded, const specs::Lock& lock,
                                 const specs::LockedPlatform& locked,
                                 const specs::LockedPlatform& platform, Session& session) {
  std::vector<std::string> notes;
  if (lock.base) {
    notes.push_back(fmt::format("on {}@{}", lock.base->image, lock.base->digest.Oci()));
  }
  if (std::string cuda = CudaNote(loaded.spec.cuda, locked); !cuda.empty()) notes.push_back(cuda);
  const CudaPreflight preflight = CheckCuda(loaded.spec, platform);
  if (!preflight.driver.empty()) {
    notes.push_back(fmt::format("needs a driver that supports CUDA {} or later", preflight.driver));
  }
  if (const auto code = KnownGpuCode(platform, session.store())) {
    notes.push_back("GPU code: " + DescribeGpuCode(*code));
  } else if (!preflight.driver.empty()) {
    notes.emplace_back("GPU code: known once the image was built here");
  }
  for (const std::string& warning : preflight.warnings) session.progress().Warning(warning);
  return notes;
}

void PlanOne(Session& session, const specs::LoadedSpec& loaded, const specs::Lock& lock,
             layers::Compression compression) {
  const BuildPreview preview =
      WithBuildContext({.store = session.store(),
                        .session = session,
                        .loaded = loaded,
                        .lock = lock,
                        .compression = compression},
                       [](const BuildRequest& request, BuildContext context) {
                         return PreviewImage(request, context);
                       });
  for (std::size_t i = 0; i < preview.platforms.size(); ++i) {
    const specs::LockedPlatform& locked = specs::LockedFor(lock, loaded.spec.image.platforms[i]);
    const specs::LockedPlatform platform = specs::PackagesInForce(loaded.spec.cuda, locked);
    const Planned planned{.loaded = loaded,
                          .lock = lock,
                          .platform = platform,
                          .preview = preview.platforms[i],
                          .unchanged = preview.unchanged,
                          .notes = NotesOn(loaded, lock, locked, platform, session)};
    if (session.options().style == ReportStyle::kJson) {
      PrintJson(planned);
    } else {
      Print(planned);
    }
  }
}

int Plan(const GlobalOptions& options, PlanArguments& arguments) {
  Session session(options);
  const layers::Compression compression = RequireCompression(arguments.compression);
  if (arguments.spec.files.empty()) arguments.spec.files = {"spec.toml"};
  for (const std::string& file : arguments.spec.files) {
    const specs::LoadedSpec loaded = session.Load(arguments.spec, file);
    const FoundLock found = FindOrMakeLock(session, arguments.spec, loaded, arguments.lock);
    PlanOne(session, loaded, found.lock, compression);
  }
  return 0;
}

}  // namespace

void AddPlanCommand(Command app, const GlobalOptions& options, RunCommand& run) {
  auto arguments = std::make_shared<PlanArguments>();
  Command command =
      app.AddCommand("plan", "Show layers, packages, sizes and what is cached; build nothing");
  AddSpecOptions(command, arguments->spec);
  command.AddOption("--compression", arguments->compression, "zstd or gzip").TypeName("CODEC");
  command.AddFlag("--locked", arguments->lock.locked, "Refuse to resolve: the lock must match");
  AddRegistryOptions(command, arguments->lock.registry);
  command.WhenGiven([&options, &run, arguments] {
    run = [&options, arguments] { return Plan(options, *arguments); };
  });
}

}  // namespace imgbuild::builder
