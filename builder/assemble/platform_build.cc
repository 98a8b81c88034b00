#include "builder/assemble/platform_build.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "builder/assemble/artifacts.h"
#include "builder/assemble/assembly.h"
#include "builder/assemble/compiler_tree.h"
#include "builder/assemble/font_cache.h"
#include "builder/assemble/gpu_code.h"
#include "builder/assemble/image_config_maker.h"
#include "builder/assemble/image_files.h"
#include "builder/assemble/package_stage.h"
#include "builder/assemble/pyc_memo.h"
#include "builder/assemble/pyc_pool.h"
#include "builder/assemble/required_libraries.h"
#include "builder/assemble/state_stage.h"
#include "builder/assemble/use_archive.h"
#include "builder/base/base_python.h"
#include "builder/plan/cuda_preflight.h"
#include "builder/plan/layer_plan.h"
#include "builder/state/state.h"
#include "layers/store/scratch_folder.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using layers::ContentTree;

void Merge(ContentTree from, ContentTree& into) { into.merge(from); }

ContentTree UserTree(const BuildRequest& request, const UserContent& user,
                     const specs::Platform& platform, layers::ScratchFolder& scratch,
                     BuildContext context) {
  ContentTree tree;
  for (const AppFiles& files : user.files) Merge(files.tree, tree);
  for (const specs::ArtifactEntry& artifact : request.loaded.spec.artifacts) {
    if (artifact.platform && *artifact.platform != platform) continue;
    const auto unpack = [&](const std::filesystem::path& archive) {
      return UnpackArtifact(artifact, archive, scratch);
    };
    Merge(UseArchive(ArtifactPackage(artifact), context.fetcher, unpack), tree);
  }
  return tree;
}

void ReportConflicts(const std::vector<layers::TreeConflict>& conflicts,
                     const layers::FileTree& tree, std::optional<layers::OwnerId> base,
                     Progress& progress) {
  const auto& owners = tree.owners();
  std::set<std::pair<layers::OwnerId, layers::OwnerId>> told;
  for (const layers::TreeConflict& conflict : conflicts) {
    if (conflict.kind != layers::ConflictKind::kContent) continue;
    // State is there to replace what packages bring; two packages are not.
    if (ReplacesPackages(owners[conflict.second])) continue;
    if (base && conflict.first == *base) continue;  // whatever lies over a base replaces it
    if (!told.insert({conflict.first, conflict.second}).second) continue;
    progress.Warning(fmt::format("{} and {} both bring /{}; the latter's is used",
                                 owners[conflict.first], owners[conflict.second], conflict.path));
  }
}

// Those that are not are removed.
bool AllFramesAreRight(const std::vector<ReadyPackage>& packages, layers::Store& store) {
  bool right = true;
  for (const ReadyPackage& package : packages) {
    if (package.frame_path.empty()) continue;
    if (!store.RecheckFrame(package.frame.digest)) right = false;
  }
  return right;
}

// What was planned from the packages holds for `again` too.
void RequireSameFrames(const std::vector<ReadyPackage>& packages,
                       const std::vector<ReadyPackage>& again) {
  for (std::size_t i = 0; i < packages.size(); ++i) {
    if (packages[i].frame == again[i].frame) continue;
    throw specs::Error(specs::ErrorKind::kVerification,
                       fmt::format("{} was made again and differs from what was in the cache",
                                   packages[i].locked->name))
        .Found(again[i].frame.digest.Hex())
        .Expected(packages[i].frame.digest.Hex())
        .Hint("build again: what is made now is in the cache");
  }
}

// The packages that have time zones, where the spec asks for another than the default.
specs::LockedPlatform TimezonePart(const specs::Spec& spec, const specs::LockedPlatform& locked) {
  specs::LockedPlatform part{.platform = locked.platform, .packages = {}, .cuda_problem = {}};
  if (spec.image.timezone == specs::ImageSection().timezone) return part;
  for (const specs::LockedPackage& package : locked.packages) {
    if (package.kind != specs::PackageKind::kDeb) continue;
    if (std::ranges::find(kTimezonePackages, package.name) != kTimezonePackages.end()) {
      part.packages.push_back(package);
    }
  }
  return part;
}

// What makes packages, with the Python that compiles for them.
class PackageWork {
 public:
  // Borrows all for its life. `memo` may be null.
  PackageWork(const BuildRequest& request, const layers::Codec& codec, BuildContext context,
              PycMemo* memo)
      : PackageWork(request.loaded.spec, CompilerFor(request), codec, context, memo) {}

  std::vector<ReadyPackage> Prepare(const specs::LockedPlatform& locked) {
    const PackageTools tools{.fetcher = context_.fetcher,
                             .executor = context_.executor,
                             .progress = context_.progress,
                             .shared = context_.shared};
    // A time zone that there is not is told before all else is fetched.
    const specs::LockedPlatform zones = TimezonePart(spec_, locked);
    if (!zones.packages.empty() && context_.fetcher.network() == NetworkPolicy::kAllowed) {
      RequireTimezone(spec_.image.timezone, DebFacts(PreparePackages(zones, maker_, tools)));
    }
    return PreparePackages(locked, maker_, tools);
  }

  std::optional<ReadyPackage> Find(const specs::LockedPackage& package) const {
    return maker_.Find(package);
  }

  std::vector<specs::Sha256> Keys(const specs::LockedPlatform& locked) const {
    std::vector<specs::Sha256> keys;
    for (const specs::LockedPackage& package : locked.packages) keys.push_back(maker_.Key(package));
    return keys;
  }

 private:
  // Null where no Debian suite has the Python of a base image: then nothing is compiled.
  static const specs::LockedCompiler* CompilerFor(const BuildRequest& request) {
    if (request.lock.compilers.empty() && request.lock.base) return nullptr;
    return &HostCompiler(request.lock);
  }

  PackageWork(const specs::Spec& spec, const specs::LockedCompiler* compiler,
              const layers::Codec& codec, BuildContext context, PycMemo* memo)
      : spec_(spec),
        context_(context),
        trust_(context.compiler_trust.Refused() ? TreeTrust::kNone : TreeTrust::kSigned),
        pyc_(
            [&spec, compiler, context, trust = trust_] {
              if (trust == TreeTrust::kSigned) context.compiler_trust.Require(*compiler);
              return FindCompilerTree(*compiler, spec, trust, context.fetcher, context.store);
            },
            context.executor.width()),
        memoized_(memo != nullptr ? std::make_unique<MemoCompiler>(*memo, pyc_) : nullptr),
        maker_(context.store, codec, context.executor, Pyc(),
               {.suite = spec.system.suite,
                .python = spec.python.version,
                .compiler_id =
                    compiler != nullptr ? CompilerId(*compiler, spec.python.version, trust_) : "",
                .compile = compiler != nullptr ? spec.python.compile : specs::Compile::kNone}) {}

  layers::PycCompiler* Pyc() {
    if (memoized_) return memoized_.get();
    return &pyc_;
  }

  const specs::Spec& spec_;
  BuildContext context_;
  const TreeTrust trust_;  // until it is asked for, that of most locks
  PycPool pyc_;
  const std::unique_ptr<MemoCompiler> memoized_;  // null: nothing to remember
  PackageMaker maker_;
};

// The image that the spec builds on, and what of it is built upon.
struct Base {
  const layers::BaseImage& image;
  BasePython python;
  std::string shell;
};

std::optional<Base> BaseOf(const BuildRequest& request, const specs::Platform& platform,
                           BuildContext context) {
  const specs::Spec& spec = request.loaded.spec;
  if (!spec.system.image) return std::nullopt;
  const layers::BaseImage& image = context.base->For(platform);
  Base base{.image = image, .python = FindBasePython(image, spec.python.version), .shell = {}};
  if (base.python.version != request.lock.python_version) {
    throw specs::Error(specs::ErrorKind::kVerification,
                       "the lock was made for another Python than the base image has")
        .Found(base.python.version)
        .Expected(request.lock.python_version)
        .Hint("lock again: imgbuild lock --upgrade system.image");
  }
  for (const char* shell : {"/bin/bash", "/bin/sh"}) {
    if (base.shell.empty() && image.Resolve(shell)) base.shell = shell;
  }
  if (base.shell.empty()) base.shell = "/opt/venv/bin/python3";
  if (request.lock.compilers.empty() && spec.python.compile != specs::Compile::kNone) {
    context.progress.Warning(
        fmt::format("nothing is compiled to .pyc: no supported Debian suite has Python {}, so the "
                    "first import of each module takes longer",
                    spec.python.version));
  }
  return base;
}

// The base's layers as they are, below ours.
void AddBaseLayers(const layers::BaseImage& base, BuildContext context,
                   std::vector<MadeLayer>& layers) {
  std::vector<MadeLayer> below;
  for (const layers::ImageLayer& layer : base.layers) {
    if (context.layer_listener) context.layer_listener(layer);
    below.push_back({.layer = layer, .name = "base image", .base = true});
  }
  layers.insert(layers.begin(), below.begin(), below.end());
}

// What the user should know of CUDA in the image. `base` may be null.
void ReportCuda(const specs::Spec& spec, const specs::LockedPlatform& locked,
                const layers::BaseImage* base, Progress& progress) {
  for (const std::string& warning : CheckCuda(spec, locked).warnings) progress.Warning(warning);
  if (base != nullptr) {
    for (const std::string& warning : CheckCudaOnBase(spec, locked, *base)) {
      progress.Warning(warning);
    }
  }
}

// All that lies in one platform's image, split into layers.
struct Parts {
  std::optional<Base> base;
  std::vector<ReadyPackage> packages;
  std::unique_ptr<layers::ScratchFolder> scratch;  // of what the assembly's trees point to
  Assembly assembly;
  layers::TreeUnion united;
  std::vector<std::string> library_dirs;  // StateStage's
};

Parts AssembleParts(const BuildRequest& request, const specs::LockedPlatform& locked,
                    const UserContent& user, std::vector<ReadyPackage> packages,
                    const std::vector<LayerPlan>& plan, std::optional<Base> base,
                    BuildContext context) {
  const specs::Spec& spec = request.loaded.spec;
  const layers::BaseImage* base_image = base ? &base->image : nullptr;
  Parts parts{.base = std::move(base),
              .packages = std::move(packages),
              .scratch = std::make_unique<layers::ScratchFolder>(context.store),
              .assembly = {},
              .united = {},
              .library_dirs = {}};

  // What no package brings: the user's files, and the system's and imgbuild's own.
  OwnFiles own;
  own.files = UserTree(request, user, locked.platform, *parts.scratch, context);
  RequireLibraries(
      parts.packages,
      {.base = base_image, .user = own.files, .allowed = spec.image.allow_missing_libraries});
  StateStage stage = MakeState(request, locked.platform, parts.packages, user, base_image);
  for (const std::string& warning : stage.warnings) context.progress.Warning(warning);
  own.system = std::move(stage.system);
  own.state = std::move(stage.state);
  parts.library_dirs = std::move(stage.library_dirs);
  ImageFilesInput input{spec, request.loaded.sources.folder, request.lock, locked};
  if (parts.base) {
    input.python = parts.base->python.path;
    input.shell = parts.base->shell;
  }
  own.runtime = MakeRuntimeFiles(input);
  ContentTree image_files = MakeImageFiles(input);
  const std::string git_config(kGitConfig);
  if (own.files.contains(git_config) || (base_image && base_image->Resolve("/" + git_config))) {
    image_files.erase(git_config);  // the user's own, or the base's, holds
  }
  Merge(std::move(image_files), own.state);
  Merge(LinkFontList(parts.packages, own.files, base_image), own.state);

  // One tree of it all, split into layers.
  parts.assembly = Assemble(base_image != nullptr ? &base_image->files : nullptr, plan,
                            parts.packages, std::move(own), spec.image.max_layer_size);
  CheckLayerCount(spec, {.base = base_image != nullptr ? base_image->layers.size() : 0,
                         .planned = plan.size(),
                         .made = parts.assembly.layers.size()});
  parts.united = layers::UniteTrees(parts.assembly.inputs);
  ReportConflicts(parts.united.conflicts, parts.united.tree, parts.assembly.base, context.progress);
  std::vector<std::vector<layers::OwnerId>> owners;
  if (parts.assembly.base) owners.push_back({*parts.assembly.base});
  for (const LayerContent& layer : parts.assembly.layers) owners.push_back(layer.owners);
  layers::CheckLayers(parts.united.tree, owners);
  return parts;
}

bool AllAreCached(const std::vector<PackagePreview>& packages) {
  return std::ranges::all_of(
      packages, [](const PackagePreview& package) { return package.made.has_value(); });
}

bool AllAreCached(const std::vector<specs::ArtifactEntry>& artifacts,
                  const specs::Platform& platform, const layers::Store& store) {
  return std::ranges::all_of(artifacts, [&](const specs::ArtifactEntry& artifact) {
    return (artifact.platform && *artifact.platform != platform) ||
           store.FindDownload(artifact.sha256);
  });
}

}  // namespace

Annotations WithBase(Annotations annotations, const specs::LockedBase& base) {
  annotations.emplace("org.opencontainers.image.base.digest", base.digest.Oci());
  if (specs::BaseImagePath(base.image) == std::string::npos) {
    annotations.emplace("org.opencontainers.image.base.name", base.image);
  }
  return annotations;
}

std::vector<specs::Sha256> PackageKeys(const BuildRequest& request,
                                       const specs::LockedPlatform& locked,
                                       const layers::Codec& codec, BuildContext context) {
  return PackageWork(request, codec, context, nullptr).Keys(locked);
}

void PreparePlatform(const BuildRequest& request, const specs::LockedPlatform& locked,
                     const layers::Codec& codec, PycMemo& memo, BuildContext context) {
  PackageWork(request, codec, context, &memo).Prepare(locked);
}

PlatformPreview PreviewPlatform(const BuildRequest& request, const specs::LockedPlatform& locked,
                                const UserContent& user, const layers::Codec& codec,
                                BuildContext context) {
  PlatformPreview preview;
  PackageWork work(request, codec, context, nullptr);
  std::vector<ReadyPackage> packages;
  for (const specs::LockedPackage& package : locked.packages) {
    PackagePreview& known = preview.packages.emplace_back();
    known.downloaded = context.store.FindDownload(package.sha256).has_value();
    std::optional<ReadyPackage> ready = work.Find(package);
    if (!ready) continue;
    known.made = ready->frame.compressed_size;
    packages.push_back(*std::move(ready));
  }
  const specs::Spec& spec = request.loaded.spec;
  const bool known = AllAreCached(preview.packages) && !spec.system.image &&
                     AllAreCached(spec.artifacts, locked.platform, context.store);
  if (!known) {
    for (LayerPlan& layer : PlanLayers(spec, locked)) {
      preview.layers.push_back({std::move(layer.name), std::move(layer.packages), std::nullopt});
    }
    return preview;
  }
  preview.layers_known = true;
  const Parts parts = AssembleParts(request, locked, user, std::move(packages),
                                    PlanLayers(spec, locked), std::nullopt, context);
  for (const LayerContent& content : parts.assembly.layers) {
    LayerPreview& layer = preview.layers.emplace_back();
    layer.name = content.name;
    for (const PackagePart& part : content.packages) {
      layer.packages.push_back(static_cast<std::size_t>(part.package - parts.packages.data()));
    }
    layer.made = FindMadeLayer(content, parts.united.tree, codec, context.store);
  }
  return preview;
}

PlatformResult BuildPlatform(const BuildRequest& request, const specs::LockedPlatform& locked,
                             const UserContent& user, const layers::Codec& codec,
                             const Annotations& annotations, BuildContext context) {
  const specs::Spec& spec = request.loaded.spec;
  std::optional<Base> base = BaseOf(request, locked.platform, context);
  ReportCuda(spec, locked, base ? &base->image : nullptr, context.progress);
  const std::size_t base_layers = base ? base->image.layers.size() : 0;
  const std::vector<LayerPlan> plan = PlanLayers(spec, locked, BudgetOver(base_layers));
  CheckLayerCount(spec, {.base = base_layers, .planned = plan.size(), .made = plan.size()});

  // Packages: fetched, unpacked, compiled and compressed, or found.
  PackageWork work(request, codec, context, nullptr);
  Parts parts =
      AssembleParts(request, locked, user, work.Prepare(locked), plan, std::move(base), context);

  // Layers and documents.
  PlatformResult result;
  result.built.platform = locked.platform;
  const auto make_layers = [&] {
    return MakeLayers(parts.assembly.layers, parts.united.tree,
                      {.store = context.store,
                       .codec = codec,
                       .executor = context.executor,
                       .progress = context.progress,
                       .listener = context.layer_listener,
                       .shared = context.shared});
  };
  try {
    result.built.layers = make_layers();
  } catch (const specs::Error&) {
    if (AllFramesAreRight(parts.packages, context.store)) throw;
    RequireSameFrames(parts.packages, work.Prepare(locked));
    result.built.layers = make_layers();
  }
  const layers::BaseImage* base_image = parts.base ? &parts.base->image : nullptr;
  if (base_image != nullptr) AddBaseLayers(*base_image, context, result.built.layers);
  std::vector<layers::ImageLayer> image_layers;
  for (const MadeLayer& layer : result.built.layers) image_layers.push_back(layer.layer);
  specs::ImageConfig config = MakeImageConfig(spec, request.lock, locked.platform,
                                              {base_image, std::move(parts.library_dirs)});
  AddCudaLabels(spec, locked, CollectGpuCode(parts.packages, locked, context.store), base_image,
                config);
  result.image = layers::PublishPlatform(
      context.store, std::move(config), image_layers,
      base_image != nullptr ? WithBase(annotations, *request.lock.base) : annotations);
  result.image.base_layers = base_layers;
  return result;
}

}  // namespace imgbuild::builder
