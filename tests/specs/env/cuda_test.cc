#include "specs/env/cuda.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::specs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Platform kAmd64{Architecture::kAmd64};
constexpr Platform kArm64{Architecture::kArm64};

CudaSection Section(bool enabled) {
  return {.enabled = enabled, .version = "13.0", .components = {"toolkit"}};
}

LockedPlatform Locked() {
  LockedPackage numpy;
  numpy.name = "numpy";
  LockedPackage cublas;  // something else needs it as well
  cublas.name = "nvidia-cublas";
  cublas.layer = kCudaRoot;
  cublas.required_by = {"cuda", "nvidia-cuda-nvcc", "torch"};
  LockedPackage nvcc = cublas;
  nvcc.name = "nvidia-cuda-nvcc";
  nvcc.only_with = kCudaRoot;
  return {.platform = kAmd64, .packages = {numpy, cublas, nvcc}, .cuda_problem = ""};
}

std::vector<std::string> Names(const LockedPlatform& locked) {
  std::vector<std::string> names;
  for (const LockedPackage& package : locked.packages) names.push_back(package.name);
  return names;
}

TEST(Cuda, IsForOnePlatformOnly) {
  EXPECT_TRUE(CudaApplies(Section(false), kAmd64));
  EXPECT_FALSE(CudaApplies(Section(true), kArm64));
  EXPECT_FALSE(CudaApplies({}, kAmd64));
  EXPECT_TRUE(CudaInForce(Section(true), kAmd64));
  EXPECT_FALSE(CudaInForce(Section(false), kAmd64));
  EXPECT_FALSE(CudaInForce(Section(true), kArm64));
}

TEST(Cuda, TheSwitchLeavesOutWhatIsOnlyThereForIt) {
  EXPECT_EQ(PackagesInForce(Section(true), Locked()), Locked());
  EXPECT_THAT(Names(PackagesInForce(Section(false), Locked())),
              ElementsAre("numpy", "nvidia-cublas"));
  EXPECT_THAT(Names(PackagesInForce({}, Locked())), ElementsAre("numpy", "nvidia-cublas"));
  EXPECT_THAT(PackagesInForce({}, Locked()).packages[1].required_by, ElementsAre("torch"));
}

TEST(Cuda, FailsOnlyWhereItIsEnabled) {
  LockedPlatform locked = Locked();
  locked.packages.resize(1);
  locked.cuda_problem = "CUDA 13.9 is not on the index";
  EXPECT_THAT(Names(PackagesInForce(Section(false), locked)), ElementsAre("numpy"));
  try {
    (void)PackagesInForce(Section(true), locked);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUnresolvable);
    EXPECT_THAT(error.what(), HasSubstr("CUDA 13.9 is not on the index"));
    EXPECT_THAT(error.what(), HasSubstr("--set cuda.enabled=false"));
  }
  locked.platform = kArm64;
  EXPECT_THAT(Names(PackagesInForce(Section(true), locked)), ElementsAre("numpy"));
}

TEST(Cuda, SaysWhatBecomesOfIt) {
  LockedPlatform locked = Locked();
  EXPECT_EQ(CudaNote({}, locked), "");
  EXPECT_EQ(CudaNote(Section(true), locked), "CUDA 13.0 (toolkit) is on (1 package)");
  EXPECT_EQ(CudaNote(Section(false), locked), "CUDA 13.0 (toolkit) is off (1 package)");
  locked.cuda_problem = "none";
  EXPECT_EQ(CudaNote(Section(false), locked), "CUDA 13.0 (toolkit) is off and cannot be had");
  locked.platform = kArm64;
  EXPECT_EQ(CudaNote(Section(true), locked),
            "CUDA 13.0 (toolkit) is left out: there is none for linux/arm64");
  EXPECT_EQ(CudaNote(Section(false), locked), "");
}

TEST(Cuda, NotesAreForEachPlatformOfASpecThatTurnsItOn) {
  Lock lock;
  lock.platforms = {Locked(), {.platform = kArm64, .packages = {}, .cuda_problem = ""}};
  Spec spec;
  spec.image.platforms = {kAmd64, kArm64};
  EXPECT_THAT(CudaNotes(spec, lock), IsEmpty());
  spec.cuda = Section(false);
  EXPECT_THAT(CudaNotes(spec, lock), IsEmpty());
  spec.cuda = Section(true);
  EXPECT_THAT(CudaNotes(spec, lock),
              ElementsAre("CUDA 13.0 (toolkit) is on (1 package)",
                          "CUDA 13.0 (toolkit) is left out: there is none for linux/arm64"));
}

TEST(Cuda, TheLicenceIsThatOfDebiansToolkit) {
  Spec spec;
  spec.image.platforms = {kArm64, kAmd64};
  spec.cuda = Section(true);
  EXPECT_EQ(CudaLicence(spec), "");
  spec.cuda.provider = "debian";
  EXPECT_THAT(CudaLicence(spec), HasSubstr("under NVIDIA's licence"));
  spec.cuda.enabled = false;
  EXPECT_EQ(CudaLicence(spec), "");
  spec.cuda.enabled = true;
  spec.image.platforms = {kArm64};
  EXPECT_EQ(CudaLicence(spec), "");
}

}  // namespace
}  // namespace imgbuild::specs
