#include "builder/plan/layer_plan.h"

#include <numeric>
#include <set>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;

specs::LockedPackage Package(std::string name, std::string layer, std::uint64_t size) {
  specs::LockedPackage package;
  package.name = std::move(name);
  package.layer = std::move(layer);
  package.size = size;
  return package;
}

specs::Spec SpecWithLayers() {
  specs::Spec spec;
  spec.python.layers = {{"python", {}}, {"web", {}}};
  return spec;
}

std::vector<std::string> Names(const std::vector<LayerPlan>& layers) {
  std::vector<std::string> names;
  for (const LayerPlan& layer : layers) names.push_back(layer.name);
  return names;
}

TEST(PlanLayers, HeavyPackagesAloneAndTheRestInTiers) {
  specs::LockedPlatform locked;
  locked.packages = {Package("bash", "base", 100), Package("libc6", "base", 2u << 20),
                     Package("fasthtml", "web", 90'000), Package("numpy", "python", 18u << 20),
                     Package("rich", "python", 240'000)};
  std::vector<LayerPlan> layers = PlanLayers(SpecWithLayers(), locked);
  EXPECT_THAT(Names(layers), ElementsAre("base", "base (small)", "python: numpy", "python", "web",
                                         "runtime", "system", "state"));
  EXPECT_THAT(layers[2].packages, ElementsAre(3u));
  EXPECT_EQ(layers.back().kind, LayerKind::kState);
}

TEST(PlanLayers, CudaLiesBelowPythonAndMovesNothingElse) {
  specs::LockedPlatform off;
  for (int i = 0; i < 60; ++i) {
    off.packages.push_back(Package(fmt::format("p{:02}", i), i < 3 ? "base" : "python",
                                   (8u << 20) + static_cast<std::uint64_t>(i)));
  }
  specs::LockedPlatform on = off;
  for (int i = 0; i < 30; ++i) {
    on.packages.push_back(Package(fmt::format("nvidia-{:02}", i), "cuda", 9u << 20));
  }
  const std::vector<LayerPlan> without = PlanLayers(SpecWithLayers(), off);
  std::vector<LayerPlan> with = PlanLayers(SpecWithLayers(), on);
  ASSERT_EQ(with.size(), without.size() + kCudaLayerBudget);
  const auto first = with.begin() + 1;  // the base is one layer by now
  EXPECT_EQ(first->name, "cuda: nvidia-11");
  EXPECT_EQ((first + kCudaLayerBudget - 1)->name, "cuda");
  with.erase(first, first + kCudaLayerBudget);
  EXPECT_THAT(Names(with), ElementsAreArray(Names(without)));
  EXPECT_TRUE(with == without);
}

TEST(PlanLayers, FilesComeBeforeState) {
  specs::Spec spec = SpecWithLayers();
  spec.files.push_back({.from = "/a", .to = "/b"});
  EXPECT_THAT(Names(PlanLayers(spec, {})), ElementsAre("files", "runtime", "system", "state"));
}

TEST(PlanLayers, AGrowingPackageMovesNoOther) {
  specs::LockedPlatform locked;
  locked.packages = {Package("a", "python", 9u << 20), Package("b", "python", 10u << 20),
                     Package("c", "python", 100)};
  std::vector<LayerPlan> before = PlanLayers(SpecWithLayers(), locked);
  locked.packages[0].size = 50u << 20;
  EXPECT_EQ(PlanLayers(SpecWithLayers(), locked), before);
}

TEST(PlanLayers, EachPackageIsInExactlyOneLayerWithinTheBudget) {
  specs::LockedPlatform locked;
  for (int i = 0; i < 200; ++i) {
    locked.packages.push_back(Package("p" + std::to_string(i), i % 2 == 0 ? "base" : "python",
                                      static_cast<std::uint64_t>(i) << 20));
  }
  for (std::size_t budget : {3u, 10u, 40u, 300u}) {
    std::vector<LayerPlan> layers = PlanLayers(SpecWithLayers(), locked, budget);
    std::multiset<std::size_t> seen;
    for (const LayerPlan& layer : layers) seen.insert(layer.packages.begin(), layer.packages.end());
    std::multiset<std::size_t> all;
    for (std::size_t i = 0; i < 200; ++i) all.insert(i);
    EXPECT_EQ(seen, all);
    if (budget >= 10) {
      EXPECT_LE(layers.size(), budget);
    }
  }
  // The largest stay alone.
  EXPECT_EQ(PlanLayers(SpecWithLayers(), locked, 10)[0].packages.size(), 1u);
}

// Fifty named layers of two tiers each.
TEST(PlanLayers, ManyNamedLayersLoseTheirTiersBeforeTheBudget) {
  specs::Spec spec;
  specs::LockedPlatform locked;
  for (int i = 0; i < 50; ++i) {
    const std::string name = "layer" + std::to_string(i);
    spec.python.layers.push_back({name, {}});
    locked.packages.push_back(Package("small" + std::to_string(i), name, 100));
    locked.packages.push_back(Package("medium" + std::to_string(i), name, 2u << 20));
  }
  EXPECT_EQ(PlanLayers(spec, locked, 200).size(), 103u);
  const std::vector<LayerPlan> some = PlanLayers(spec, locked, 80);
  EXPECT_EQ(some.size(), 79u);  // one of the budget is kept for files
  EXPECT_THAT(some[0].packages, ElementsAre(1u));
  EXPECT_THAT(some[some.size() - 4].packages, ElementsAre(98u, 99u));
  EXPECT_EQ(PlanLayers(spec, locked).size(), 53u);  // named layers stay apart
}

TEST(PlanLayers, ABaseTakesOfTheBudget) {
  EXPECT_EQ(BudgetOver(0), kLayerBudget);
  EXPECT_EQ(BudgetOver(40), kLayerBudget);
  EXPECT_EQ(BudgetOver(70), 10u);
  EXPECT_EQ(BudgetOver(90), 0u);
  EXPECT_EQ(BudgetOver(300), 0u);
}

std::string Complaint(const specs::Spec& spec, const LayerCount& count) {
  try {
    CheckLayerCount(spec, count);
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.kind(), specs::ErrorKind::kUsage);
    return error.what();
  }
  return "";
}

TEST(CheckLayerCount, RefusesWhatNoEngineStacksAndSaysWhatToChange) {
  specs::Spec spec = SpecWithLayers();
  EXPECT_EQ(Complaint(spec, {.base = 40, .planned = 60, .made = 60}), "");
  EXPECT_THAT(Complaint(spec, {.base = 41, .planned = 60, .made = 60}),
              AllOf(HasSubstr("101 layers"), HasSubstr("41 of the base image"),
                    HasSubstr("an image of fewer layers")));
  EXPECT_THAT(Complaint(spec, {.base = 0, .planned = 10, .made = 300}),
              AllOf(HasSubstr("300 layers"), HasSubstr("290 more by image.max-layer-size"),
                    HasSubstr("raise image.max-layer-size")));
  for (int i = 0; i < 110; ++i) spec.python.layers.push_back({"layer" + std::to_string(i), {}});
  EXPECT_THAT(Complaint(spec, {.base = 0, .planned = 113, .made = 113}),
              HasSubstr("join some of the 111 layers"));
}

}  // namespace
}  // namespace imgbuild::builder
