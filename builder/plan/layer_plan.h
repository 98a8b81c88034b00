// Which package goes into which layer: pure, from lock and spec alone.
//
// The problem: a registry stores and a host pulls whole layers, so a layer should change only when
// something in it had to. One layer per package would do that, but engines stack at most about 127
// layers and each costs a request. Ranks ("the 20 largest alone") reshuffle everybody when one
// package grows. So the split goes by fixed rules that look at one package at a time:
//
//   - a package whose archive is at least kHeavyBytes is a layer of its own;
//   - the others of the same named layer ("base", "python", "web", ...) share tiers by the size of
//     their archive: from kMediumBytes on, and the small rest;
//   - the user's files, then what imgbuild makes, come last: the supervisor ("runtime"), what
//     Debian's scripts would have left behind ("system"), and in the very last layer ("state") what
//     changes with every package: the lock, the services' table, the linker's cache.
//
// Only where that makes more layers than the budget do the smallest of the heavy packages join
// their tier, and then tiers their named layer. Named layers stay apart: they are the user's own
// split. The CUDA section's layers have a budget of their own, so that turning it on moves nothing
// in the others. Invariant: each package of the lock is in exactly one layer. An image that has
// more than kMostLayers all the same is refused (CheckLayerCount).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "specs/env/lock.h"
#include "specs/env/spec.h"

namespace imgbuild::builder {

// Versions these rules: part of each image's key.
inline constexpr std::string_view kPlanVersion = "plan/2";

inline constexpr std::uint64_t kHeavyBytes = 8u << 20;   // of the archive
inline constexpr std::uint64_t kMediumBytes = 1u << 20;  // of the archive
inline constexpr std::size_t kLayerBudget = 40;
inline constexpr std::size_t kCudaLayerBudget = 20;
// Of one image, a base's and both budgets included: engines stack up to about 127, and images are
// built upon.
inline constexpr std::size_t kMostLayers = 100;

enum class LayerKind { kPackages, kFiles, kRuntime, kSystem, kState };

struct LayerPlan {
  LayerKind kind = LayerKind::kPackages;
  std::string
      name;  // "base", "cuda: nvidia-cublas", "python: scipy", "web", "web (small)", "files"
  std::vector<std::size_t> packages;  // positions in LockedPlatform::packages, ascending

  bool operator==(const LayerPlan&) const = default;
};

// In order from the bottom. Named layers come in the order "base", "cuda", then spec.python.layers;
// a name that only the lock knows comes after those. `locked` has the packages in force
// (specs/env/cuda.h).
std::vector<LayerPlan> PlanLayers(const specs::Spec& spec, const specs::LockedPlatform& locked,
                                  std::size_t budget = kLayerBudget);

// The budget over a base image: less where the base leaves less.
std::size_t BudgetOver(std::size_t base_layers);

// The layers of one image.
struct LayerCount {
  std::size_t base = 0;     // of the base image
  std::size_t planned = 0;  // by PlanLayers
  std::size_t made = 0;     // of these, with layers cut at image.max-layer-size
};

// Throws Error (kUsage) where there are more than kMostLayers, with what to change.
void CheckLayerCount(const specs::Spec& spec, const LayerCount& count);

}  // namespace imgbuild::builder
