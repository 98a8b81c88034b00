#include "builder/assemble/gpu_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

specs::LockedPlatform Locked(const std::vector<std::string>& names) {
  specs::LockedPlatform locked;
  for (const std::string& name : names) {
    specs::LockedPackage package;
    package.kind = specs::PackageKind::kWheel;
    package.name = name;
    package.sha256 = specs::HashOf(name);
    locked.packages.push_back(std::move(package));
  }
  return locked;
}

TEST(GpuCode, IsOrderedByKindAndNumber) {
  EXPECT_EQ(RenderGpuCode({"compute_120", "sm_100", "sm_75", "sm_90"}),
            "sm_75 sm_90 sm_100 compute_120");
  EXPECT_EQ(RenderGpuCode({}), "");
}

TEST(GpuCode, IsDescribedByWhatRunsEverywhere) {
  EXPECT_EQ(DescribeGpuCode({.every = {"sm_90", "sm_75"}, .some = {"compute_120"}}),
            "sm_75 sm_90 in all libraries; in some also compute_120");
  EXPECT_EQ(DescribeGpuCode({.every = {"sm_90"}, .some = {}}), "sm_90 in all libraries");
  EXPECT_EQ(DescribeGpuCode({.every = {}, .some = {"sm_90"}}),
            "none in all libraries; in some also sm_90");
}

TEST(GpuCode, IsKnownAgainForTheSamePackagesOnly) {
  support::TempFolder folder;
  layers::Store store(folder.path());
  const specs::LockedPlatform locked = Locked({"cublas", "cufft"});
  EXPECT_EQ(KnownGpuCode(locked, store), std::nullopt);
  std::vector<ReadyPackage> packages(3);  // the last has none, and counts for nothing
  packages[0].facts.gpu_code = {"compute_120", "sm_75", "sm_90"};
  packages[1].facts.gpu_code = {"sm_75"};
  const GpuCode code{.every = {"sm_75"}, .some = {"compute_120", "sm_90"}};
  EXPECT_EQ(CollectGpuCode(packages, locked, store), code);
  EXPECT_EQ(KnownGpuCode(locked, store), code);
  EXPECT_EQ(KnownGpuCode(Locked({"cublas"}), store), std::nullopt);
}

TEST(GpuCode, RunsOnLaterGpusOfItsGenerationAndPtxOnAllLaterOnes) {
  support::TempFolder folder;
  layers::Store store(folder.path());
  std::vector<ReadyPackage> packages(2);
  packages[0].facts.gpu_code = {"compute_86", "sm_75", "sm_80"};
  packages[1].facts.gpu_code = {"sm_80", "sm_86", "sm_90"};
  const GpuCode code{.every = {"sm_80", "sm_86", "sm_90"}, .some = {"compute_86", "sm_75"}};
  EXPECT_EQ(CollectGpuCode(packages, Locked({"a", "b"}), store), code);
}

TEST(GpuCode, OfImagesWithoutIsNotKept) {
  support::TempFolder folder;
  layers::Store store(folder.path());
  const std::vector<ReadyPackage> packages(1);
  EXPECT_EQ(CollectGpuCode(packages, Locked({"numpy"}), store), GpuCode());
  EXPECT_EQ(KnownGpuCode(Locked({"numpy"}), store), std::nullopt);
}

}  // namespace
}  // namespace imgbuild::builder
