#include "builder/assemble/platform_build.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "builder/assemble/artifacts.h"
#include "builder/assemble/assembly.h"
#include "builder/assemble/compiler_tree.h"
#include "builder/assemble/cuda_view.h"
#include "builder/assemble/gpu_code.h"
#include "builder/assemble/image_config_maker.h"
#include "builder/assemble/image_files.h"
#include "builder/assemble/package_stage.h"
#include "builder/assemble/pyc_memo.h"
#include "builder/assemble/pyc_pool.h"
#include "builder/assemble/use_archive.h"
#include "builder/plan/cuda_preflight.h"
#include "builder/plan/layer_plan.h"
#include "builder/state/state.h"
#include "layers/unpack/needed.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

using layers::ContentTree;
using layers::PackageFacts;

void Merge(ContentTree from, ContentTree& into) { into.merge(from); }

ContentTree UserTree(const BuildRequest& request, const UserContent& user,
                     const specs::Platform& platform, BuildContext context) {
  ContentTree tree;
  for (const AppFiles& files : user.files) Merge(files.tree, tree);
  for (const specs::ArtifactEntry& artifact : request.loaded.spec.artifacts) {
    if (artifact.platform && *artifact.platform != platform) continue;
    const auto unpack = [&](const std::filesystem::path& archive) {
      return UnpackArtifact(artifact, archive);
    };
    Merge(UseArchive(ArtifactPackage(artifact), context.fetcher, unpack), tree);
  }
  return tree;
}

// Wheels of the CUDA section, for its place in the file system.
std::vector<const PackageFacts*> CudaWheels(const std::vector<ReadyPackage>& packages) {
  std::vector<const PackageFacts*> wheels;
  for (const ReadyPackage& package : packages) {
    const specs::LockedPackage& locked = *package.locked;
    if (locked.kind == specs::PackageKind::kWheel && locked.layer == specs::kCudaRoot) {
      wheels.push_back(&package.facts);
    }
  }
  return wheels;
}

SystemState MakeState(const BuildRequest& request, const specs::Platform& platform,
                      const std::vector<ReadyPackage>& packages, const UserContent& user) {
  const specs::Spec& spec = request.loaded.spec;
  StateInput input{.suite = spec.system.suite,
                   .profile = spec.system.profile,
                   .architecture = platform.architecture,
                   .packages = DebFacts(packages),
                   .others = {},
                   .timezone = spec.image.timezone,
                   .workdir = spec.image.workdir,
                   .certificates = {},
                   .library_dirs = {}};
  for (std::size_t i = 0; i < user.certificates.size(); ++i) {
    const std::string& path = spec.system.certificates[i];
    input.certificates.push_back({path.substr(path.rfind('/') + 1), user.certificates[i]});
  }
  if (!specs::CudaInForce(spec.cuda, platform)) return MakeSystemState(input);
  if (spec.cuda.provider == "debian") {
    SystemState state = MakeSystemState(input);
    state.files.emplace(kCudaHome.substr(1), layers::MakeSymlink(std::string(kDebianCudaHome)));
    return state;
  }
  input.others = CudaWheels(packages);
  CudaView cuda = MakeCudaView(input.others, fmt::format("{}/lib/python{}/site-packages",
                                                         kVenvPath.substr(1), spec.python.version));
  input.library_dirs = std::move(cuda.library_dirs);
  SystemState state = MakeSystemState(input);
  Merge(std::move(cuda.files), state.files);
  return state;
}

void ReportConflicts(const std::vector<layers::TreeConflict>& conflicts,
                     const layers::FileTree& tree, Progress& progress) {
  const auto& owners = tree.owners();
  std::set<std::pair<layers::OwnerId, layers::OwnerId>> told;
  for (const layers::TreeConflict& conflict : conflicts) {
    if (conflict.kind != layers::ConflictKind::kContent) continue;
    // State is there to replace what packages bring; two packages are not.
    if (owners[conflict.second] == "system state") continue;
    if (!told.insert({conflict.first, conflict.second}).second) continue;
    progress.Warning(fmt::format("{} and {} both bring /{}; the latter's is used",
                                 owners[conflict.first], owners[conflict.second], conflict.path));
  }
}

void RequireLibraries(const std::vector<ReadyPackage>& packages) {
  std::vector<const PackageFacts*> facts;
  for (const ReadyPackage& package : packages) facts.push_back(&package.facts);
  const std::vector<layers::MissingLibrary> missing = layers::CheckNeeded(facts);
  if (missing.empty()) return;
  std::string text = "shared libraries are missing in the image:";
  std::set<std::string> suggestions;
  for (const layers::MissingLibrary& library : missing) {
    text += fmt::format("\n    {} needs {} (in {})", library.package, library.soname, library.file);
    if (!library.suggestion.empty()) suggestions.insert("\"" + library.suggestion + "\"");
  }
  throw specs::Error(text).Hint(
      suggestions.empty()
          ? "add the Debian packages that have them to system.packages"
          : fmt::format("add to system.packages: {}",
                        specs::Join({suggestions.begin(), suggestions.end()}, ", ")));
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

// What makes packages, with the Python that compiles for them.
class PackageWork {
 public:
  // Borrows all for its life. `memo` may be null.
  PackageWork(const BuildRequest& request, const layers::Codec& codec, BuildContext context,
              PycMemo* memo)
      : PackageWork(request.loaded.spec, HostCompiler(request.lock), codec, context, memo) {}

  std::vector<ReadyPackage> Prepare(const specs::LockedPlatform& locked) {
    return PreparePackages(locked, maker_,
                           {.fetcher = context_.fetcher,
                            .executor = context_.executor,
                            .progress = context_.progress,
                            .shared = context_.shared});
  }

  std::vector<specs::Sha256> Keys(const specs::LockedPlatform& locked) const {
    std::vector<specs::Sha256> keys;
    for (const specs::LockedPackage& package : locked.packages) keys.push_back(maker_.Key(package));
    return keys;
  }

 private:
  PackageWork(const specs::Spec& spec, const specs::LockedCompiler& compiler,
              const layers::Codec& codec, BuildContext context, PycMemo* memo)
      : context_(context),
        pyc_([&,
              context] { return FindCompilerTree(compiler, spec, context.fetcher, context.store); },
             context.executor.width()),
        memoized_(memo != nullptr ? std::make_unique<MemoCompiler>(*memo, pyc_) : nullptr),
        maker_(context.store, codec, context.executor, Pyc(),
               {.suite = spec.system.suite,
                .python = spec.python.version,
                .compiler_id = CompilerId(compiler, spec.python.version),
                .compile = spec.python.compile}) {}

  layers::PycCompiler* Pyc() {
    if (memoized_) return memoized_.get();
    return &pyc_;
  }

  BuildContext context_;
  PycPool pyc_;
  const std::unique_ptr<MemoCompiler> memoized_;  // null: nothing to remember
  PackageMaker maker_;
};

}  // namespace

std::vector<specs::Sha256> PackageKeys(const BuildRequest& request,
                                       const specs::LockedPlatform& locked,
                                       const layers::Codec& codec, BuildContext context) {
  return PackageWork(request, codec, context, nullptr).Keys(locked);
}

void PreparePlatform(const BuildRequest& request, const specs::LockedPlatform& locked,
                     const layers::Codec& codec, PycMemo& memo, BuildContext context) {
  PackageWork(request, codec, context, &memo).Prepare(locked);
}

PlatformResult BuildPlatform(const BuildRequest& request, const specs::LockedPlatform& locked,
                             const UserContent& user, const layers::Codec& codec,
                             const Annotations& annotations, BuildContext context) {
  const specs::Spec& spec = request.loaded.spec;
  for (const std::string& warning : CheckCuda(spec, locked).warnings) {
    context.progress.Warning(warning);
  }

  // Packages: fetched, unpacked, compiled and compressed, or found.
  PackageWork work(request, codec, context, nullptr);
  const std::vector<ReadyPackage> packages = work.Prepare(locked);
  RequireLibraries(packages);

  // What no package brings: the user's files, and the system's and imgbuild's own.
  ContentTree user_files = UserTree(request, user, locked.platform, context);
  SystemState state = MakeState(request, locked.platform, packages, user);
  for (const std::string& warning : state.warnings) context.progress.Warning(warning);
  Merge(MakeImageFiles({spec, request.loaded.sources.folder, request.lock, locked}), state.files);

  // One tree of it all, split into layers.
  const Assembly assembly = Assemble(PlanLayers(spec, locked), packages, std::move(user_files),
                                     std::move(state.files), spec.image.max_layer_size);
  const layers::TreeUnion united = layers::UniteTrees(assembly.inputs);
  ReportConflicts(united.conflicts, united.tree, context.progress);
  std::vector<std::vector<layers::OwnerId>> owners;
  for (const LayerContent& layer : assembly.layers) owners.push_back(layer.owners);
  layers::CheckLayers(united.tree, owners);

  // Layers and documents.
  PlatformResult result;
  result.built.platform = locked.platform;
  const auto make_layers = [&] {
    return MakeLayers(assembly.layers, united.tree,
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
    if (AllFramesAreRight(packages, context.store)) throw;
    RequireSameFrames(packages, work.Prepare(locked));
    result.built.layers = make_layers();
  }
  std::vector<layers::ImageLayer> image_layers;
  for (const MadeLayer& layer : result.built.layers) image_layers.push_back(layer.layer);
  specs::ImageConfig config = MakeImageConfig(spec, request.lock, locked.platform);
  AddCudaLabels(spec, locked, CollectGpuCode(packages, locked, context.store), config);
  result.image =
      layers::PublishPlatform(context.store, std::move(config), image_layers, annotations);
  return result;
}

}  // namespace imgbuild::builder
