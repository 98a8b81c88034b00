#include <chrono>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include "builder/assemble/build_image.h"
#include "builder/cli/commands.h"
#include "builder/cli/locator.h"
#include "builder/cli/lock_session.h"
#include "builder/cli/outputs.h"
#include "builder/cli/pushes.h"
#include "builder/cli/summary.h"
#include "layers/image/annotate.h"
#include "layers/image/image_blobs.h"
#include "specs/base/error.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

using Clock = std::chrono::steady_clock;

struct BuildArguments {
  SpecOptions spec;
  LockOptions lock;
  std::vector<std::string> outputs;
  std::vector<std::string> pushes;
  std::vector<std::string> annotations;
  RegistryOptions registry;
  std::string compression = "zstd";
  bool check = false;
};

class Stopwatch {
 public:
  std::uint64_t Lap() {
    const Clock::time_point now = Clock::now();
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - begun_);
    begun_ = now;
    return static_cast<std::uint64_t>(passed.count());
  }

 private:
  Clock::time_point begun_ = Clock::now();
};

BuiltImage BuildInto(layers::Store& store, Session& session, const specs::LoadedSpec& loaded,
                     const specs::Lock& lock, layers::Compression compression,
                     const LayerListener& listener) {
  MirrorLocator locator(session, loaded.spec, lock);
  Fetcher fetcher(
      store, [&]() -> HttpClient& { return session.http(); },
      [&]() -> ArchiveLocator& { return locator; }, session.progress(),
      {.network = session.options().offline ? NetworkPolicy::kForbidden : NetworkPolicy::kAllowed,
       .spec_folder = loaded.sources.folder});
  return BuildImage({.loaded = loaded, .lock = lock, .compression = compression},
                    {.store = store,
                     .executor = session.executor(),
                     .fetcher = fetcher,
                     .progress = session.progress(),
                     .layer_listener = listener});
}

// Builds again in an empty cache, from the same archives, and compares.
void Check(Session& session, const specs::LoadedSpec& loaded, const specs::Lock& lock,
           layers::Compression compression, const layers::Image& image) {
  const std::filesystem::path folder = session.store().NewDirectory();
  struct Remove {
    const std::filesystem::path& folder;
    ~Remove() {
      std::error_code ignored;
      std::filesystem::remove_all(folder, ignored);
    }
  } remove{folder};
  layers::Store store(folder);
  // The archives are inputs: verified by their hashes, not made here.
  std::error_code error;
  std::filesystem::create_directory_symlink(session.store().paths().Downloads(),
                                            store.paths().Downloads(), error);
  const BuiltImage again = BuildInto(store, session, loaded, lock, compression, {});
  if (again.image.root.digest == image.root.digest) {
    session.progress().Info("checked: a second build in an empty cache gives the same image");
    return;
  }
  throw specs::Error(specs::ErrorKind::kVerification,
                     "a second build in an empty cache gives another image")
      .Found(again.image.root.digest.Oci())
      .Expected(image.root.digest.Oci());
}

// What a reader of the spec would not expect: that the CUDA section is on but not for a platform.
std::vector<std::string> Notes(const specs::Spec& spec, const specs::Lock& lock) {
  std::vector<std::string> notes;
  for (const specs::LockedPlatform& locked : lock.platforms) {
    if (!spec.cuda.enabled) continue;
    notes.push_back(specs::CudaNote(spec.cuda, locked));
  }
  return notes;
}

layers::Compression CompressionOf(const BuildArguments& arguments) {
  const auto compression = layers::ParseCompression(arguments.compression);
  if (compression) return *compression;
  throw specs::Error(specs::ErrorKind::kUsage,
                     fmt::format("--compression {}: unknown", arguments.compression))
      .Expected("zstd or gzip");
}

// Where the image is to be written: as -o says, or to NAME.oci where it goes nowhere else. Checked.
std::vector<Output> OutputsOf(const BuildArguments& arguments, const specs::ImageSection& image) {
  std::vector<Output> outputs;
  for (const std::string& output : arguments.outputs) outputs.push_back(ParseOutput(output, image));
  if (outputs.empty() && arguments.pushes.empty()) outputs.push_back(DefaultOutput(image));
  for (const Output& output : outputs) CheckOutput(output, image);
  return outputs;
}

// Layers go out as soon as they are in the store.
LayerListener PushingTo(Pushes& pushes, const layers::Store& store) {
  if (pushes.empty()) return {};
  return [&](const layers::ImageLayer& layer) {
    const specs::Descriptor& blob = layer.descriptor;
    const auto file = store.FindBlob(blob.digest, blob.size);
    if (file) pushes.Add({blob.digest, blob.size, *file});
  };
}

void BuildOne(Session& session, BuildArguments& arguments, const std::string& file) {
  Stopwatch stopwatch;
  const layers::Compression compression = CompressionOf(arguments);
  const auto annotations = ParseAnnotations(arguments.annotations);
  std::vector<PushTarget> targets = ParsePushTargets(arguments.pushes);
  const specs::LoadedSpec loaded = session.Load(arguments.spec, file);
  const std::vector<Output> outputs = OutputsOf(arguments, loaded.spec.image);
  Pushes pushes(session, std::move(targets), arguments.registry);
  pushes.CheckAccess();
  const FoundLock found = FindOrMakeLock(session, arguments.spec, loaded, arguments.lock);
  std::vector<PhaseTime> phases = {{"lock", stopwatch.Lap()}};

  layers::Store& store = session.store();
  const LayerListener listener = PushingTo(pushes, store);
  BuiltImage built = BuildInto(store, session, loaded, found.lock, compression, listener);
  phases.push_back({"build", stopwatch.Lap()});
  if (arguments.check) {
    Check(session, loaded, found.lock, compression, built.image);
    phases.push_back({"check", stopwatch.Lap()});
  }
  layers::ImageSource image;
  const auto write = [&] {
    image = layers::Annotated(layers::SourceOf(built.image, store), annotations);
    for (const Output& output : outputs) {
      if (annotations.empty()) {
        WriteOutput(output, built.image, store);
      } else {
        WriteOutput(output, image, store);
      }
    }
  };
  try {
    write();
  } catch (const specs::Error&) {
    // What is damaged in the cache is gone now: it is made again, once.
    if (layers::RecheckImage(store, built.image)) throw;
    built = BuildInto(store, session, loaded, found.lock, compression, listener);
    write();
  }
  if (!outputs.empty()) phases.push_back({"write", stopwatch.Lap()});
  const std::vector<Pushed> pushed = pushes.Finish(image);
  if (!pushed.empty()) phases.push_back({"push", stopwatch.Lap()});

  const BuildSummary summary{.loaded = loaded,
                             .built = built,
                             .digest = image.root().digest,
                             .outputs = outputs,
                             .pushed = pushed,
                             .phases = phases,
                             .lock_file = found.file,
                             .resolved = found.resolved,
                             .notes = Notes(loaded.spec, found.lock),
                             .uid = geteuid()};
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
  for (const std::string& file : arguments.spec.files) {
    specs::WithContext("while building " + file, [&] { BuildOne(session, arguments, file); });
  }
  return 0;
}

}  // namespace

void AddBuildCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run) {
  auto arguments = std::make_shared<BuildArguments>();
  CLI::App* command = app.add_subcommand("build", "Build images from specs");
  AddSpecOptions(*command, arguments->spec);
  command
      ->add_option("-o,--output", arguments->outputs,
                   "oci:DIR[:TAG], oci-archive:FILE or docker-archive:FILE; may be repeated")
      ->type_name("OUTPUT")
      ->take_all()
      ->allow_extra_args(false);
  command
      ->add_option("--push", arguments->pushes,
                   "Push there, each layer as soon as it is made; no layout is written then "
                   "without -o; may be repeated")
      ->type_name("docker://HOST/NAME[:TAG]")
      ->take_all()
      ->allow_extra_args(false);
  AddAnnotationOption(*command, arguments->annotations);
  AddRegistryOptions(*command, arguments->registry);
  command->add_option("--compression", arguments->compression, "zstd or gzip")->type_name("CODEC");
  command->add_flag("--locked", arguments->lock.locked, "Refuse to resolve: the lock must match");
  command->add_flag("--check", arguments->check,
                    "Build again in an empty cache and compare the images");
  command->callback([&options, &run, arguments] {
    run = [&options, arguments] { return Build(options, *arguments); };
  });
}

}  // namespace imgbuild::builder
