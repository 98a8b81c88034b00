#include "builder/plan/layer_plan.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/env/cuda.h"

namespace imgbuild::builder {
namespace {

using specs::LockedPackage;

// Names of layers, bottom first.
std::vector<std::string> NamedLayers(const specs::Spec& spec, const specs::LockedPlatform& locked) {
  std::vector<std::string> names = {"base", std::string(specs::kCudaRoot)};
  for (const specs::PythonLayer& layer : spec.python.layers) names.push_back(layer.name);
  for (const LockedPackage& package : locked.packages) {
    if (std::find(names.begin(), names.end(), package.layer) == names.end()) {
      names.push_back(package.layer);
    }
  }
  return names;
}

struct Split {
  std::vector<std::size_t> heavy;
  std::vector<std::size_t> medium;
  std::vector<std::size_t> small;

  std::size_t layers() const {
    return heavy.size() + (medium.empty() ? 0 : 1) + (small.empty() ? 0 : 1);
  }
};

// Joins what has to be joined so that all fit, if they can.
void KeepBudget(std::vector<Split>& splits, const specs::LockedPlatform& locked,
                std::size_t budget) {
  std::vector<std::pair<std::uint64_t, std::size_t>> heavy;  // smallest first, then by position
  std::size_t layers = 0;
  for (const Split& split : splits) {
    layers += split.layers();
    for (std::size_t index : split.heavy) heavy.emplace_back(locked.packages[index].size, index);
  }
  std::sort(heavy.begin(), heavy.end());
  for (const auto& [size, index] : heavy) {
    if (layers <= budget) return;
    for (Split& split : splits) {
      auto found = std::find(split.heavy.begin(), split.heavy.end(), index);
      if (found == split.heavy.end()) continue;
      layers -= split.layers();
      split.heavy.erase(found);
      split.medium.insert(std::lower_bound(split.medium.begin(), split.medium.end(), index), index);
      layers += split.layers();
      break;
    }
  }
  // Many named layers: then, from the top, without tiers.
  for (auto split = splits.rbegin(); split != splits.rend() && layers > budget; ++split) {
    if (split->medium.empty() || split->small.empty()) continue;
    split->medium.insert(split->medium.end(), split->small.begin(), split->small.end());
    std::sort(split->medium.begin(), split->medium.end());
    split->small.clear();
    --layers;
  }
}

// The user's files, and what imgbuild makes.
constexpr std::size_t kOwnLayers = 4;

}  // namespace

std::vector<LayerPlan> PlanLayers(const specs::Spec& spec, const specs::LockedPlatform& locked,
                                  std::size_t budget) {
  const std::vector<std::string> names = NamedLayers(spec, locked);
  std::vector<Split> splits(names.size());
  for (std::size_t i = 0; i < locked.packages.size(); ++i) {
    const LockedPackage& package = locked.packages[i];
    const auto named = std::find(names.begin(), names.end(), package.layer) - names.begin();
    Split& split = splits[static_cast<std::size_t>(named)];
    (package.size >= kHeavyBytes    ? split.heavy
     : package.size >= kMediumBytes ? split.medium
                                    : split.small)
        .push_back(i);
  }
  const auto cuda = std::find(names.begin(), names.end(), specs::kCudaRoot) - names.begin();
  std::vector<Split> cuda_split = {std::exchange(splits[static_cast<std::size_t>(cuda)], {})};
  KeepBudget(cuda_split, locked, kCudaLayerBudget);
  KeepBudget(splits, locked, budget > kOwnLayers ? budget - kOwnLayers : 0);
  splits[static_cast<std::size_t>(cuda)] = std::move(cuda_split[0]);

  std::vector<LayerPlan> layers;
  for (std::size_t n = 0; n < names.size(); ++n) {
    const Split& split = splits[n];
    for (std::size_t index : split.heavy) {
      layers.push_back({LayerKind::kPackages,
                        fmt::format("{}: {}", names[n], locked.packages[index].name),
                        {index}});
    }
    if (!split.medium.empty()) layers.push_back({LayerKind::kPackages, names[n], split.medium});
    if (!split.small.empty()) {
      std::string name = split.medium.empty() ? names[n] : names[n] + " (small)";
      layers.push_back({LayerKind::kPackages, std::move(name), split.small});
    }
  }
  if (!spec.files.empty() || !spec.artifacts.empty()) {
    layers.push_back({LayerKind::kFiles, "files", {}});
  }
  layers.push_back({LayerKind::kRuntime, "runtime", {}});
  layers.push_back({LayerKind::kSystem, "system", {}});
  layers.push_back({LayerKind::kState, "state", {}});
  return layers;
}

std::size_t BudgetOver(std::size_t base_layers) {
  const std::size_t taken = base_layers + kCudaLayerBudget;
  return std::min(kLayerBudget, taken < kMostLayers ? kMostLayers - taken : 0);
}

void CheckLayerCount(const specs::Spec& spec, const LayerCount& count) {
  const std::size_t all = count.base + std::max(count.planned, count.made);
  if (all <= kMostLayers) return;
  std::string parts = fmt::format("{} planned", count.planned);
  if (count.base > 0) parts += fmt::format(", {} of the base image", count.base);
  std::string hint;
  if (count.made > count.planned) {
    parts += fmt::format(", {} more by image.max-layer-size", count.made - count.planned);
    hint = fmt::format("raise image.max-layer-size, which is {}",
                       specs::HumanBytes(spec.image.max_layer_size));
  } else if (spec.python.layers.size() > 2) {
    hint = fmt::format("join some of the {} layers of [[python.layers]]",
                       spec.python.layers.size() - 1);
  } else {
    hint = "build on an image of fewer layers";
  }
  throw specs::Error(specs::ErrorKind::kUsage,
                     fmt::format("the image would have {} layers, more than engines stack", all))
      .Found(std::move(parts))
      .Expected(fmt::format("at most {}", kMostLayers))
      .Hint(std::move(hint));
}

}  // namespace imgbuild::builder
