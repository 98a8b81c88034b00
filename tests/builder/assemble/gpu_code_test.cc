#include "builder/assemble/gpu_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using testing::IsEmpty;

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

TEST(GpuCode, IsKnownAgainForTheSamePackagesOnly) {
  support::TempFolder folder;
  layers::Store store(folder.path());
  const specs::LockedPlatform locked = Locked({"cublas", "cufft"});
  EXPECT_EQ(KnownGpuCode(locked, store), std::nullopt);
  std::vector<ReadyPackage> packages(2);
  packages[0].facts.gpu_code = {"compute_120", "sm_75", "sm_90"};
  packages[1].facts.gpu_code = {"sm_75"};
  const std::set<std::string> all = {"compute_120", "sm_75", "sm_90"};
  EXPECT_EQ(CollectGpuCode(packages, locked, store), all);
  EXPECT_EQ(KnownGpuCode(locked, store), all);
  EXPECT_EQ(KnownGpuCode(Locked({"cublas"}), store), std::nullopt);
}

TEST(GpuCode, OfImagesWithoutIsNotKept) {
  support::TempFolder folder;
  layers::Store store(folder.path());
  const std::vector<ReadyPackage> packages(1);
  EXPECT_THAT(CollectGpuCode(packages, Locked({"numpy"}), store), IsEmpty());
  EXPECT_EQ(KnownGpuCode(Locked({"numpy"}), store), std::nullopt);
}

}  // namespace
}  // namespace imgbuild::builder
