#include "builder/assemble/assembly.h"

#include <utility>

#include <fmt/core.h>

#include "builder/state/state.h"

namespace imgbuild::builder {
namespace {

using layers::ContentTree;
using layers::PackageFacts;

constexpr char kSystemOwner[] = "system state";
constexpr char kStateOwner[] = "image state";

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

std::string NameOf(const LayerPlan& plan, std::size_t part) {
  return part == 0 ? plan.name : fmt::format("{} ({})", plan.name, part + 1);
}

class Assembler {
 public:
  Assembler(const PackageFacts* base, const std::vector<ReadyPackage>& packages,
            std::uint64_t max_layer_size)
      : packages_(packages),
        has_dpkg_(HasDpkg(DebFacts(packages))),
        max_layer_size_(max_layer_size) {
    if (base != nullptr) assembly_.base = AddOwner("base image", base);
  }

  void AddPackages(const LayerPlan& plan) {
    std::vector<const ReadyPackage*> packages;
    for (std::size_t index : plan.packages) packages.push_back(&packages_[index]);
    LayerParts parts = SplitPackages(packages, max_layer_size_);
    const std::size_t first = assembly_.layers.size();
    for (std::size_t i = 0; i < parts.layers.size(); ++i) {
      LayerContent& layer = Begin(NameOf(plan, i));
      for (const PackagePart& part : parts.layers[i]) AddPart(part, layer);
    }
    for (auto& facts : parts.facts) assembly_.facts.push_back(std::move(facts));
    if (has_dpkg_) return;
    ContentTree status = StatusFiles(plan, packages_);
    if (status.empty()) return;
    AddTree(assembly_.layers[first], "package database of " + plan.name, std::move(status));
  }

  void AddFiles(const LayerPlan& plan, const std::string& owner, ContentTree files) {
    if (files.empty()) return;
    std::vector<ContentTree> trees = SplitFiles(std::move(files), max_layer_size_);
    for (std::size_t i = 0; i < trees.size(); ++i) {
      LayerContent& layer = Begin(NameOf(plan, i));
      AddTree(layer, i == 0 ? owner : fmt::format("{} ({})", owner, i + 1), std::move(trees[i]));
    }
  }

  Assembly Take() { return std::move(assembly_); }

 private:
  LayerContent& Begin(std::string name) {
    LayerContent& layer = assembly_.layers.emplace_back();
    layer.name = std::move(name);
    return layer;
  }

  layers::OwnerId AddOwner(std::string name,
                           std::variant<const PackageFacts*, const ContentTree*> files) {
    assembly_.inputs.push_back({std::move(name), files});
    return static_cast<layers::OwnerId>(assembly_.inputs.size() - 1);
  }

  void AddPart(const PackagePart& part, LayerContent& layer) {
    const specs::LockedPackage& locked = *part.package->locked;
    const bool deb = locked.kind == specs::PackageKind::kDeb;
    std::string name = fmt::format("{} {}", deb ? "Debian package" : "wheel", locked.name);
    if (!part.IsWhole()) name += fmt::format(" from byte {}", part.begin);
    layer.owners.push_back(AddOwner(std::move(name), part.facts));
    layer.packages.push_back(part);
  }

  void AddTree(LayerContent& layer, const std::string& owner, ContentTree tree) {
    assembly_.trees.push_back(std::make_unique<ContentTree>(std::move(tree)));
    layer.files = assembly_.trees.back().get();
    layer.owners.push_back(AddOwner(owner, layer.files));
  }

  const std::vector<ReadyPackage>& packages_;
  const bool has_dpkg_;
  const std::uint64_t max_layer_size_;
  Assembly assembly_;
};

}  // namespace

Assembly Assemble(const PackageFacts* base, const std::vector<LayerPlan>& plans,
                  const std::vector<ReadyPackage>& packages, OwnFiles own,
                  std::uint64_t max_layer_size) {
  Assembler assembler(base, packages, max_layer_size);
  for (const LayerPlan& plan : plans) {
    switch (plan.kind) {
      case LayerKind::kPackages:
        assembler.AddPackages(plan);
        break;
      case LayerKind::kFiles:
        assembler.AddFiles(plan, "files", std::exchange(own.files, {}));
        break;
      case LayerKind::kRuntime:
        assembler.AddFiles(plan, "supervisor", std::exchange(own.runtime, {}));
        break;
      case LayerKind::kSystem:
        assembler.AddFiles(plan, kSystemOwner, std::exchange(own.system, {}));
        break;
      case LayerKind::kState:
        assembler.AddFiles(plan, kStateOwner, std::exchange(own.state, {}));
        break;
    }
  }
  return assembler.Take();
}

bool ReplacesPackages(std::string_view owner) {
  return owner == kSystemOwner || owner == kStateOwner;
}

std::vector<const PackageFacts*> DebFacts(const std::vector<ReadyPackage>& packages) {
  std::vector<const PackageFacts*> facts;
  for (const ReadyPackage& package : packages) {
    if (package.locked->kind == specs::PackageKind::kDeb) facts.push_back(&package.facts);
  }
  return facts;
}

}  // namespace imgbuild::builder
