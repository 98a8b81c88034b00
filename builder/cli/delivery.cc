#include "builder/cli/delivery.h"

#include <filesystem>
#include <utility>

#include <fmt/core.h>

#include "builder/cli/build_work.h"
#include "layers/image/annotate.h"
#include "layers/image/image_blobs.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

// Builds again in an empty cache, from the same archives, and compares. What the cache has
// otherwise is gone from it then: it would be found by the next build.
void Check(Session& session, const specs::LoadedSpec& loaded, const specs::Lock& lock,
           layers::Compression compression, const layers::Image& image,
           const RegistryOptions& registry) {
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
  // So are the layers of a base image; what lies in them others may have told.
  const auto base = OpenBase(session, loaded.spec, lock, layers::LayerBytes::kPassed, registry);
  if (base) base->ListIn(store);
  const BuiltImage again = WithBuildContext({.store = store,
                                             .session = session,
                                             .loaded = loaded,
                                             .lock = lock,
                                             .compression = compression,
                                             .base = base.get()},
                                            BuildImage);
  if (again.image.root.digest == image.root.digest) {
    session.progress().Info("checked: a second build in an empty cache gives the same image");
    return;
  }
  const std::size_t dropped = session.store().DropDiffering(store);
  throw specs::Error(specs::ErrorKind::kVerification,
                     "a second build in an empty cache gives another image")
      .Found(again.image.root.digest.Oci())
      .Expected(image.root.digest.Oci())
      .Hint(fmt::format("{} that differed {} removed from this machine's cache: build again, and "
                        "without the --cache-from that gave what is wrong",
                        dropped == 1 ? "1 entry" : fmt::format("{} entries", dropped),
                        dropped == 1 ? "was" : "were"));
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

}  // namespace

layers::Compression RequireCompression(const std::string& name) {
  if (const auto compression = layers::ParseCompression(name)) return *compression;
  throw specs::Error(specs::ErrorKind::kUsage, fmt::format("--compression {}: unknown", name))
      .Expected("zstd or gzip");
}

Delivery::Delivery(Session& session, const BuildArguments& arguments,
                   const specs::LoadedSpec& loaded)
    : session_(session),
      arguments_(arguments),
      loaded_(loaded),
      compression_(RequireCompression(arguments.compression)),
      annotations_(ParseAnnotations(arguments.annotations)),
      targets_(ParsePushTargets(arguments.pushes)),
      outputs_(OutputsOf(arguments, loaded.spec.image)),
      shared_(OpenSharedCaches(session, arguments.cache, arguments.registry)),
      base_home_(HomeOfBase(loaded.spec)) {
  CheckExports(arguments.cache);
  OpenPushes();
  pushes_->CheckAccess();
}

void Delivery::OpenPushes() {
  UploadOptions upload;
  if (shared_ || loaded_.spec.system.image) {
    upload.obtain = [this](const PushBlob& blob) { Obtain(blob); };
  }
  pushes_ = std::make_unique<Pushes>(session_, targets_, arguments_.registry, upload);
}

layers::LayerBytes Delivery::base_bytes() const {
  const bool mounted = base_home_ && pushes_->AllGoTo(base_home_->host);
  return outputs_.empty() && mounted ? layers::LayerBytes::kPassed : layers::LayerBytes::kKept;
}

// Layers of the base image and those that shared caches promised come when a registry turns out to
// need them.
void Delivery::Obtain(const PushBlob& blob) {
  if (base_ && base_->FetchLayer(blob.digest, built_.image)) return;
  const specs::Descriptor wanted{.media_type = {},
                                 .digest = blob.digest,
                                 .size = blob.size,
                                 .platform = {},
                                 .annotations = {}};
  if (shared_ && shared_->FetchBlobs({wanted}, session_.store())) return;
  throw specs::Error(fmt::format("no cache gives the layer {}", blob.digest.Oci()));
}

void Delivery::Run(const specs::Lock& lock, Stopwatch& stopwatch, std::vector<PhaseTime>& phases) {
  base_ = OpenBase(session_, loaded_.spec, lock, base_bytes(), arguments_.registry);
  try {
    Build(lock, shared_.get());
  } catch (const specs::Error&) {
    // Layers were to be made of files that no cache gives after all.
    if (!shared_ || !shared_->broke_promise()) throw;
    OpenPushes();
    Build(lock, nullptr);
  }
  TellOfCudaLicence(session_, loaded_.spec, built_);
  phases.push_back({"build", stopwatch.Lap()});
  if (arguments_.check) {
    Check(session_, loaded_, lock, compression_, built_.image, arguments_.registry);
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
    Build(lock, nullptr);
    deliver();
  }
  if (arguments_.cache.to.empty()) return;
  const BuildInputs inputs = WithBuildContext({.store = session_.store(),
                                               .session = session_,
                                               .loaded = loaded_,
                                               .lock = lock,
                                               .compression = compression_,
                                               .base = base_.get()},
                                              InputsOf);
  exported_ = ExportTo(session_, arguments_.cache, arguments_.registry, built_, inputs);
  phases.push_back({"share", stopwatch.Lap()});
}

void Delivery::Build(const specs::Lock& lock, SharedPlaces* shared) {
  if (base_) base_->UseShared(shared);
  built_ = WithBuildContext({.store = session_.store(),
                             .session = session_,
                             .loaded = loaded_,
                             .lock = lock,
                             .compression = compression_,
                             .listener = Pushing(shared),
                             .shared = shared,
                             .base = base_.get()},
                            BuildImage);
  // Of an image that was found whole, nobody was told.
  for (const layers::PlatformImage& platform : built_.image.platforms) {
    const std::vector<specs::Descriptor>& layers = platform.manifest.layers;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      RememberHome(layers[i].digest, i < platform.base_layers ? base_home_ : std::nullopt, shared);
    }
  }
}

// Layers go out as soon as they are in the store.
LayerListener Delivery::Pushing(const SharedPlaces* shared) {
  if (pushes_->empty()) return {};
  return [this, shared](const layers::ImageLayer& layer) {
    const specs::Descriptor& blob = layer.descriptor;
    const bool of_base = base_ && base_->HasLayer(blob.digest);
    RememberHome(blob.digest, of_base ? base_home_ : std::nullopt, shared);
    const auto file = session_.store().FindBlob(blob.digest, blob.size);
    if (file) pushes_->Add({blob.digest, blob.size, *file});
  };
}

// What a registry has in another repository it need not be sent: known before its upload begins.
void Delivery::RememberHome(const specs::Sha256& layer, const std::optional<BlobHome>& base,
                            const SharedPlaces* shared) {
  if (base) pushes_->RememberHome(base->host, base->repository, layer);
  const auto home = shared != nullptr ? shared->HomeOf(layer) : std::nullopt;
  if (home) pushes_->RememberHome(home->host, home->repository, layer);
}

void Delivery::Write() {
  layers::Store& store = session_.store();
  if (!outputs_.empty() && base_) base_->FetchLayers(built_.image);
  if (!outputs_.empty() && shared_ && !shared_->FetchBlobs(Layers(built_.image), store)) {
    throw specs::Error("no cache gives all layers that were promised");
  }
  image_ = layers::Annotated(layers::SourceOf(built_.image, store,
                                              shared_ || base_ ? layers::AbsentBlobs::kAllowed
                                                               : layers::AbsentBlobs::kRefused),
                             annotations_);
  for (const Output& output : outputs_) {
    if (annotations_.empty()) {
      WriteOutput(output, built_.image, store, session_.progress());
    } else {
      WriteOutput(output, image_, store, session_.progress());
    }
  }
}

// After a failure: what is damaged in the cache is gone now, and what was promised and does not
// come is made here, once.
bool Delivery::MustBeMadeAgain() {
  if (shared_ && shared_->broke_promise()) return true;
  // Layers that were promised are not here.
  const auto absent = shared_ ? layers::AbsentBlobs::kAllowed : layers::AbsentBlobs::kRefused;
  return pushed_.empty() && !layers::RecheckImage(session_.store(), built_.image, absent);
}

BuildSummary Delivery::Summary() const {
  return {.loaded = loaded_,
          .built = built_,
          .digest = image_.root().digest,
          .outputs = outputs_,
          .pushed = pushed_,
          .shared = shared_ ? shared_->Uses() : std::vector<SharedUse>{},
          .exported = exported_};
}

}  // namespace imgbuild::builder
