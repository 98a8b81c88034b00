#include "builder/plan/cuda_preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

specs::LockedPackage Wheel(std::string name, std::string version, std::uint64_t megabytes,
                           std::vector<std::string> required_by) {
  specs::LockedPackage package;
  package.kind = specs::PackageKind::kWheel;
  package.name = std::move(name);
  package.version = std::move(version);
  package.size = megabytes * 1'000'000;
  package.required_by = std::move(required_by);
  return package;
}

specs::LockedPackage Deb(std::string name, std::uint64_t megabytes) {
  specs::LockedPackage package = Wheel(std::move(name), "1", megabytes, {"spec"});
  package.kind = specs::PackageKind::kDeb;
  return package;
}

specs::LockedPlatform Locked(std::vector<specs::LockedPackage> packages) {
  return {.platform = {}, .packages = std::move(packages), .cuda_problem = ""};
}

specs::Spec On(std::string version) {
  specs::Spec spec;
  spec.cuda = {.enabled = true, .version = std::move(version), .components = {"toolkit"}};
  return spec;
}

const specs::LockedPackage kRuntime13 =
    Wheel("nvidia-cuda-runtime", "13.0.96", 2, {"cuda-toolkit"});
const specs::LockedPackage kCufft13 = Wheel("nvidia-cufft", "12.0.0.61", 200, {"cuda-toolkit"});
const specs::LockedPackage kKit = Wheel("cuda-toolkit", "13.0.3.0", 0, {"cuda"});
const specs::LockedPackage kTorch = Wheel("torch", "2.6", 800, {"spec"});

TEST(CudaPreflight, ASectionAloneIsFine) {
  const CudaPreflight found = CheckCuda(On("13.0.2"), Locked({kKit, kRuntime13, kCufft13}));
  EXPECT_EQ(found.driver, "13.0");
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST(CudaPreflight, NothingIsSaidWhereThereIsNoCuda) {
  const CudaPreflight found = CheckCuda(
      {}, Locked({Wheel("numpy", "2", 18, {"spec"}), Wheel("nvidia-ml-py", "13.5", 0, {"spec"})}));
  EXPECT_EQ(found.driver, "");
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST(CudaPreflight, TwoMajorsAreCountedAndTracedToWhoAsks) {
  const CudaPreflight found =
      CheckCuda(On("13.0"), Locked({kTorch, kKit, kRuntime13, kCufft13,
                                    Wheel("nvidia-cublas-cu12", "12.4", 363, {"torch"}),
                                    Wheel("nvidia-cufft-cu12", "11.2", 211, {"torch"})}));
  EXPECT_THAT(found.warnings,
              ElementsAre(AllOf(HasSubstr("2 wheels of CUDA 12 (574 MB, for torch)"),
                                HasSubstr("3 wheels of CUDA 13 (202 MB, for [cuda])"))));
}

TEST(CudaPreflight, DebiansCudaBesideWheels) {
  const CudaPreflight found =
      CheckCuda({}, Locked({Deb("libcudart11.0", 1), Deb("libcublas11", 300), Deb("libcurl4", 1),
                            kTorch, Wheel("nvidia-cublas-cu12", "12.4", 363, {"torch"})}));
  EXPECT_THAT(found.warnings, ElementsAre(AllOf(HasSubstr("Debian's CUDA (2 packages, 301 MB)"),
                                                HasSubstr("1 wheel of CUDA (363 MB, for torch)")),
                                          HasSubstr("CUDA is off")));
}

TEST(CudaPreflight, WheelsThatComeUnaskedAreSaid) {
  specs::Spec spec = On("13.0");
  spec.cuda.enabled = false;
  const CudaPreflight found = CheckCuda(
      spec, Locked({kTorch, kRuntime13, Wheel("cuda-toolkit", "13.0.2", 0, {"torch"}), kCufft13}));
  EXPECT_EQ(found.driver, "13.0");
  EXPECT_THAT(found.warnings,
              ElementsAre(HasSubstr("CUDA is off, but 3 wheels of it (202 MB) come with torch")));
}

TEST(CudaPreflight, TheDriverFollowsFromWhatWasChosen) {
  const auto driver = [](std::vector<specs::LockedPackage> packages) {
    return CheckCuda({}, Locked(std::move(packages))).driver;
  };
  EXPECT_EQ(driver({Wheel("nvidia-cuda-runtime-cu12", "12.8.90", 1, {"torch"})}), "12.8");
  EXPECT_EQ(driver({Wheel("nvidia-cuda-runtime", "13.1.80", 1, {"torch"}),
                    Wheel("nvidia-cuda-runtime-cu12", "12.8.90", 1, {"old"})}),
            "13.1");
  EXPECT_EQ(driver({kKit, kCufft13}), "13.0");
  EXPECT_EQ(driver({Wheel("nvidia-cublas-cu12", "12.4", 363, {"torch"})}), "12.0");
  EXPECT_EQ(driver({Wheel("nvidia-cuda-runtime-cu9", "9.2.1", 1, {"old"}), kRuntime13}), "13.0");
  specs::LockedPackage debian = Deb("nvidia-cuda-toolkit", 80);
  debian.version = "11.8.89~11.8.0-5~deb12u1";
  EXPECT_EQ(driver({debian}), "11.8");
}

TEST(CudaPreflight, LibrariesWithoutTheRuntimeCountToo) {
  const CudaPreflight found =
      CheckCuda({}, Locked({kTorch, Wheel("nvidia-cublas", "13.1.0.3", 400, {"torch"}),
                            Wheel("nvidia-cufft", "12.0", 200, {"torch"})}));
  EXPECT_EQ(found.driver, "");
  EXPECT_THAT(found.warnings, ElementsAre(HasSubstr("2 wheels of it (600 MB) come with torch")));
}

TEST(CudaPreflight, ASectionThatIsLeftOutIsNotOff) {
  specs::LockedPlatform locked = Locked({kTorch, kRuntime13});
  locked.platform.architecture = specs::Architecture::kArm64;
  EXPECT_THAT(CheckCuda(On("13.0"), locked).warnings,
              ElementsAre(HasSubstr("[cuda] is left out for linux/arm64, but 1 wheel")));
}

layers::BaseImage Base(std::vector<std::string> paths) {
  std::sort(paths.begin(), paths.end());
  layers::BaseImage base;
  base.config.env = {"PATH=/usr/bin"};
  for (std::string& path : paths) {
    layers::FileFacts file;
    file.path = std::move(path);
    file.node.size = 5'000'000;
    base.files.files.push_back(std::move(file));
  }
  return base;
}

TEST(CudaPreflight, TheDriverIsForTheNewestOfWheelsAndDebian) {
  specs::LockedPackage debian = Deb("nvidia-cuda-toolkit", 1);
  debian.version = "11.8.89~11.8.0-5~deb12u1";
  const specs::LockedPackage cudnn = Wheel("nvidia-cudnn-cu11", "9.10.2", 400, {"spec"});
  EXPECT_EQ(CheckCuda({}, Locked({debian, cudnn})).driver, "11.8");
  EXPECT_EQ(CheckCuda({}, Locked({debian, kRuntime13})).driver, "13.0");
}

TEST(CudaPreflight, ABaseWithCudaBesideWheels) {
  const layers::BaseImage base =
      Base({"usr/bin/g++", "usr/local/cuda-12.8/lib64/libcudart.so.12.8.90",
            "usr/local/cuda-12.8/lib64/libcublas.so.12", "usr/lib/libc.so.6"});
  EXPECT_THAT(CheckCudaOnBase({}, Locked({kTorch, kRuntime13, kCufft13}), base),
              ElementsAre(AllOf(HasSubstr("/usr/local/cuda-12.8/lib64/libcudart.so.12.8.90; "
                                          "10 MB of libraries"),
                                HasSubstr("2 wheels of CUDA (202 MB, for "))));
  EXPECT_THAT(CheckCudaOnBase({}, Locked({kTorch}), base), IsEmpty());
  EXPECT_THAT(CheckCudaOnBase({}, Locked({kTorch, kRuntime13}), Base({"usr/bin/g++"})), IsEmpty());
}

TEST(CudaPreflight, ABaseWithoutTheHostCompilerOfNvcc) {
  specs::LockedPackage nvcc = Wheel("nvidia-cuda-nvcc", "13.0.88", 40, {"cuda"});
  nvcc.layer = "cuda";
  EXPECT_THAT(CheckCudaOnBase(On("13.0"), Locked({nvcc}), Base({"usr/bin/gcc"})),
              ElementsAre(HasSubstr("the base image has no g++")));
  EXPECT_THAT(CheckCudaOnBase(On("13.0"), Locked({nvcc}), Base({"usr/bin/g++"})), IsEmpty());
  EXPECT_THAT(CheckCudaOnBase(On("13.0"), Locked({kRuntime13}), Base({"usr/bin/gcc"})), IsEmpty());
}

}  // namespace
}  // namespace imgbuild::builder
