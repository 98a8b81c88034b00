#include "builder/assemble/platform_build.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "builder/assemble/artifacts.h"
#include "builder/assemble/compiler_tree.h"
#include "builder/assemble/image_config_maker.h"
#include "builder/assemble/image_files.h"
#include "builder/assemble/package_stage.h"
#include "builder/assemble/pyc_pool.h"
#include "builder/plan/layer_plan.h"
#include "builder/state/state.h"
#include "layers/unpack/needed.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using layers::ContentTree;
using layers::PackageFacts;

std::vector<const PackageFacts*> FactsOf(const std::vector<ReadyPackage>& packages,
                                         specs::PackageKind kind) {
  std::vector<const PackageFacts*> facts;
  for (const ReadyPackage& package : packages) {
    if (package.locked->kind == kind) facts.push_back(&package.facts);
  }
  return facts;
}

void Merge(ContentTree from, ContentTree& into) { into.merge(from); }

ContentTree UserTree(const BuildRequest& request, const UserContent& user,
                     const specs::Platform& platform, BuildContext context) {
  ContentTree tree;
  for (const AppFiles& files : user.files) Merge(files.tree, tree);
  for (const specs::ArtifactEntry& artifact : request.loaded.spec.artifacts) {
    if (artifact.platform && *artifact.platform != platform) continue;
    const std::filesystem::path archive = context.fetcher.FetchNow(ArtifactPackage(artifact));
    try {
      Merge(UnpackArtifact(artifact, archive), tree);
    } catch (const specs::Error& error) {
      if (error.kind() == specs::ErrorKind::kVerification) {
        context.store.DropDownload(artifact.sha256);
      }
      throw;
    }
  }
  return tree;
}

SystemState MakeState(const BuildRequest& request, const specs::Platform& platform,
                      const std::vector<ReadyPackage>& packages, const UserContent& user) {
  const specs::Spec& spec = request.loaded.spec;
  StateInput input{.suite = spec.system.suite,
                   .profile = spec.system.profile,
                   .architecture = platform.architecture,
                   .packages = FactsOf(packages, specs::PackageKind::kDeb),
                   .others = {},
                   .timezone = spec.image.timezone,
                   .workdir = spec.image.workdir,
                   .certificates = {},
                   .library_dirs = {}};
  for (std::size_t i = 0; i < user.certificates.size(); ++i) {
    const std::string& path = spec.system.certificates[i];
    input.certificates.push_back({path.substr(path.rfind('/') + 1), user.certificates[i]});
  }
  return MakeSystemState(input);
}

// dpkg's paragraph of each Debian package of a layer, in that layer, for scanners that read layer
// by layer.
ContentTree StatusFiles(const LayerPlan& plan, const std::vector<ReadyPackage>& packages) {
  ContentTree files;
  for (std::size_t index : plan.packages) {
    if (packages[index].locked->kind == specs::PackageKind::kDeb) {
      files.insert(RenderStatusD(packages[index].facts));
    }
  }
  return files;
}

// Everything that lies in the image, by layer, with the owners in the tree.
struct Assembly {
  std::vector<LayerContent> layers;
  std::vector<layers::TreeInput> inputs;
  std::vector<std::unique_ptr<ContentTree>> trees;  // that inputs borrow

  layers::OwnerId AddOwner(std::string name,
                           std::variant<const PackageFacts*, const ContentTree*> files) {
    inputs.push_back({std::move(name), files});
    return static_cast<layers::OwnerId>(inputs.size() - 1);
  }

  void AddTree(LayerContent& layer, const std::string& owner, ContentTree tree) {
    trees.push_back(std::make_unique<ContentTree>(std::move(tree)));
    layer.files = trees.back().get();
    layer.owners.push_back(AddOwner(owner, layer.files));
  }
};

// Takes both trees.
Assembly Assemble(const std::vector<LayerPlan>& plans, const std::vector<ReadyPackage>& packages,
                  ContentTree& user_files, ContentTree& state) {
  Assembly assembly;
  const bool has_dpkg = HasDpkg(FactsOf(packages, specs::PackageKind::kDeb));
  for (const LayerPlan& plan : plans) {
    LayerContent layer;
    layer.name = plan.name;
    for (std::size_t index : plan.packages) {
      const ReadyPackage& package = packages[index];
      const bool deb = package.locked->kind == specs::PackageKind::kDeb;
      layer.owners.push_back(assembly.AddOwner(
          fmt::format("{} {}", deb ? "Debian package" : "wheel", package.locked->name),
          &package.facts));
      layer.packages.push_back(&package);
    }
    switch (plan.kind) {
      case LayerKind::kPackages:
        if (!has_dpkg) {
          ContentTree status = StatusFiles(plan, packages);
          if (!status.empty()) {
            assembly.AddTree(layer, "package database of " + plan.name, std::move(status));
          }
        }
        break;
      case LayerKind::kFiles:
        assembly.AddTree(layer, "files", std::exchange(user_files, {}));
        break;
      case LayerKind::kState:
        assembly.AddTree(layer, "system state", std::exchange(state, {}));
        break;
    }
    assembly.layers.push_back(std::move(layer));
  }
  return assembly;
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

}  // namespace

PlatformResult BuildPlatform(const BuildRequest& request, const specs::LockedPlatform& locked,
                             const UserContent& user, const layers::Codec& codec,
                             BuildContext context) {
  const specs::Spec& spec = request.loaded.spec;

  // Packages: fetched, unpacked, compiled and compressed, or found.
  const specs::LockedCompiler& compiler = HostCompiler(request.lock);
  PycPool pyc([&] { return FindCompilerTree(compiler, spec, context.fetcher, context.store); },
              context.executor.width());
  PackageMaker maker(context.store, codec, context.executor, &pyc,
                     {.suite = spec.system.suite,
                      .python = spec.python.version,
                      .compiler_id = CompilerId(compiler, spec.python.version),
                      .compile = spec.python.compile});
  const std::vector<ReadyPackage> packages =
      PreparePackages(locked, maker, context.fetcher, context.executor, context.progress);
  RequireLibraries(packages);

  // What no package brings: the user's files, and the system's and imgbuild's own.
  ContentTree user_files = UserTree(request, user, locked.platform, context);
  SystemState state = MakeState(request, locked.platform, packages, user);
  for (const std::string& warning : state.warnings) context.progress.Warning(warning);
  Merge(MakeImageFiles({spec, request.loaded.sources.folder, request.lock, locked}), state.files);

  // One tree of it all, split into layers.
  const Assembly assembly = Assemble(PlanLayers(spec, locked), packages, user_files, state.files);
  const layers::TreeUnion united = layers::UniteTrees(assembly.inputs);
  ReportConflicts(united.conflicts, united.tree, context.progress);
  std::vector<std::vector<layers::OwnerId>> owners;
  for (const LayerContent& layer : assembly.layers) owners.push_back(layer.owners);
  layers::CheckLayers(united.tree, owners);

  // Layers and documents.
  PlatformResult result;
  result.built.platform = locked.platform;
  result.built.layers = MakeLayers(assembly.layers, united.tree, context.store, codec,
                                   context.executor, context.progress);
  std::vector<layers::ImageLayer> image_layers;
  for (const MadeLayer& layer : result.built.layers) image_layers.push_back(layer.layer);
  result.image =
      layers::PublishPlatform(context.store, MakeImageConfig(spec, request.lock, locked.platform),
                              image_layers, spec.image.annotations);
  return result;
}

}  // namespace imgbuild::builder
