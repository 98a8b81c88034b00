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
#include "builder/cli/shared_caches.h"
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
  CacheOptions cache;
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
                     const LayerListener& listener, SharedCache* shared) {
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
                     .layer_listener = listener,
                     .shared = shared});
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
  std::filesystem::create_directories(session.store().paths().Downloads(), error);
  std::filesystem::create_directory_symlink(session.store().paths().Downloads(),
                                            store.paths().Downloads(), error);
  const BuiltImage again = BuildInto(store, session, loaded, lock, compression, {}, nullptr);
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

std::vector<specs::Descriptor> Layers(const layers::Image& image) {
  std::vector<specs::Descriptor> layers;
  for (const layers::PlatformImage& platform : image.platforms) {
    const auto& those = platform.manifest.layers;
    layers.insert(layers.end(), those.begin(), those.end());
  }
  return layers;
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

// Blobs that shared caches promised come when a registry turns out to need them.
UploadOptions ObtainingFrom(SharedPlaces* shared, layers::Store& store) {
  if (shared == nullptr) return {};
  return {.obtain = [shared, &store](const PushBlob& blob) {
    const specs::Descriptor wanted{.media_type = {},
                                   .digest = blob.digest,
                                   .size = blob.size,
                                   .platform = {},
                                   .annotations = {}};
    if (shared->FetchBlobs({wanted}, store)) return;
    throw specs::Error(fmt::format("no cache gives the layer {}", blob.digest.Oci()));
  }};
}

// One spec on its way from lock to outputs and registries.
class Delivery {
 public:
  Delivery(Session& session, const BuildArguments& arguments, const specs::LoadedSpec& loaded)
      : session_(session),
        arguments_(arguments),
        loaded_(loaded),
        compression_(CompressionOf(arguments)),
        annotations_(ParseAnnotations(arguments.annotations)),
        targets_(ParsePushTargets(arguments.pushes)),
        outputs_(OutputsOf(arguments, loaded.spec.image)),
        shared_(OpenSharedCaches(session, arguments.cache, arguments.registry)) {
    OpenPushes();
    pushes_->CheckAccess();
  }

  void Run(Stopwatch& stopwatch, const FoundLock& found, std::vector<PhaseTime>& phases) {
    Build(found.lock, shared_.get());
    phases.push_back({"build", stopwatch.Lap()});
    if (arguments_.check) {
      Check(session_, loaded_, found.lock, compression_, built_.image);
      phases.push_back({"check", stopwatch.Lap()});
    }
    const auto deliver = [&] {
      Write();
      if (!outputs_.empty()) phases.push_back({"write", stopwatch.Lap()});
      pushed_ = pushes_->Finish(image_);
      if (!pushed_.empty()) phases.push_back({"push", stopwatch.Lap()});
    };
    try {
      deliver();
    } catch (const AccessRefused&) {
      throw;
    } catch (const specs::Error&) {
      if (!MustBeMadeAgain()) throw;
      OpenPushes();
      Build(found.lock, nullptr);
      deliver();
    }
  }

  BuildSummary Summary() const {
    return {.loaded = loaded_,
            .built = built_,
            .digest = image_.root().digest,
            .outputs = outputs_,
            .pushed = pushed_,
            .shared = shared_ ? shared_->Uses() : std::vector<SharedUse>{}};
  }

 private:
  void OpenPushes() {
    pushes_ = std::make_unique<Pushes>(session_, targets_, arguments_.registry,
                                       ObtainingFrom(shared_.get(), session_.store()));
  }

  void Build(const specs::Lock& lock, SharedCache* shared) {
    layers::Store& store = session_.store();
    built_ =
        BuildInto(store, session_, loaded_, lock, compression_, PushingTo(*pushes_, store), shared);
    // What a registry has in another repository it need not be sent.
    for (const layers::PlatformImage& platform : built_.image.platforms) {
      for (const specs::Descriptor& layer : platform.manifest.layers) {
        const auto home = shared_ ? shared_->HomeOf(layer.digest) : std::nullopt;
        if (home) pushes_->RememberHome(home->host, home->repository, layer.digest);
      }
    }
  }

  void Write() {
    layers::Store& store = session_.store();
    if (!outputs_.empty() && shared_ && !shared_->FetchBlobs(Layers(built_.image), store)) {
      throw specs::Error("no cache gives all layers that were promised");
    }
    image_ = layers::Annotated(
        layers::SourceOf(built_.image, store,
                         shared_ ? layers::AbsentBlobs::kAllowed : layers::AbsentBlobs::kRefused),
        annotations_);
    for (const Output& output : outputs_) {
      if (annotations_.empty()) {
        WriteOutput(output, built_.image, store);
      } else {
        WriteOutput(output, image_, store);
      }
    }
  }

  // After a failure: what is damaged in the cache is gone now, and what was promised and does not
  // come is made here, once.
  bool MustBeMadeAgain() {
    if (shared_ && shared_->broke_promise()) return true;
    for (const specs::Descriptor& layer : Layers(built_.image)) {
      if (shared_ && !session_.store().FindBlob(layer.digest, layer.size)) return false;
    }
    return pushed_.empty() && !layers::RecheckImage(session_.store(), built_.image);
  }

  Session& session_;
  const BuildArguments& arguments_;
  const specs::LoadedSpec& loaded_;
  const layers::Compression compression_;
  const std::map<std::string, std::string> annotations_;
  const std::vector<PushTarget> targets_;
  const std::vector<Output> outputs_;
  const std::unique_ptr<SharedPlaces> shared_;  // null: none was named
  std::unique_ptr<Pushes> pushes_;
  BuiltImage built_;
  layers::ImageSource image_;  // as it goes out
  std::vector<Pushed> pushed_;
};

void BuildOne(Session& session, BuildArguments& arguments, const std::string& file) {
  Stopwatch stopwatch;
  const specs::LoadedSpec loaded = session.Load(arguments.spec, file);
  Delivery delivery(session, arguments, loaded);
  const FoundLock found = FindOrMakeLock(session, arguments.spec, loaded, arguments.lock);
  std::vector<PhaseTime> phases = {{"lock", stopwatch.Lap()}};
  delivery.Run(stopwatch, found, phases);

  BuildSummary summary = delivery.Summary();
  summary.phases = std::move(phases);
  summary.lock_file = found.file;
  summary.resolved = found.resolved;
  summary.notes = Notes(loaded.spec, found.lock);
  summary.uid = geteuid();
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
  AddCacheOptions(*command, arguments->cache);
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
