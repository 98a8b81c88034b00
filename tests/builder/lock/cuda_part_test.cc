#include "builder/lock/cuda_part.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/pypi/index_client.h"
#include "specs/base/error.h"
#include "tests/support/mini_index.h"

namespace imgbuild::builder {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class CudaPartTest : public testing::Test {
 protected:
  CudaPartTest() {
    index_.AddWheel("cuda-toolkit", "12.9.1",
                    {.provides_extra = {"all", "cublas", "cudart", "nvrtc"}});
    index_.AddWheel("cuda-toolkit", "13.0.0",
                    {.provides_extra = {"all", "cublas", "cudart", "nvcc"}});
    index_.AddWheel("cuda-toolkit", "13.0.3.0",
                    {.provides_extra = {"all", "cublas", "cudart", "nvcc", "nvvm"}});
    index_.AddWheel("cuda-toolkit", "13.1.0", {.provides_extra = {"cublas", "nvcc", "tileiras"}});
  }

  ReleaseBook Book() {
    return ReleaseBook(input_, {.http = http_,
                                .indexes = {MakeIndex("default", "https://index.example/simple")},
                                .now = 1'800'000'000});
  }

  static std::vector<std::string> Texts(const std::vector<specs::Requirement>& requirements) {
    std::vector<std::string> texts;
    for (const specs::Requirement& requirement : requirements) {
      texts.push_back(requirement.Render());
    }
    return texts;
  }

  std::vector<std::string> Requirements(const std::string& version,
                                        const std::vector<std::string>& components) {
    ReleaseBook book = Book();
    return Texts(
        CudaRequirements({.enabled = false, .version = version, .components = components}, book));
  }

  std::string Complaint(const std::string& version, const std::vector<std::string>& components) {
    try {
      (void)Requirements(version, components);
    } catch (const specs::Error& error) {
      EXPECT_EQ(error.kind(), specs::ErrorKind::kUnresolvable);
      return error.what();
    }
    return "";
  }

  support::MiniIndex index_;
  support::FakeHttpClient http_{[this](const auto& request) { return index_.Answer(request); }};
  ResolveInput input_{.target = MakeTarget("3.11.2", {specs::Architecture::kAmd64})};
};

TEST_F(CudaPartTest, ComponentsAreExtrasOfTheToolkitsPackage) {
  EXPECT_THAT(Requirements("13.0", {"toolkit", "cudnn"}),
              ElementsAre("nvidia-cudnn-cu13", "cuda-toolkit[all]==13.0.*"));
  EXPECT_THAT(Requirements("12.9", {"runtime", "cudnn", "nccl"}),
              ElementsAre("nvidia-cudnn-cu12", "nvidia-nccl-cu12",
                          "cuda-toolkit[cublas,cudart,nvrtc]==12.9.*"));
  EXPECT_THAT(Requirements("13.0.0", {"nvcc", "cublas"}),
              ElementsAre("cuda-toolkit[cublas,nvcc]==13.0.0.*"));
  EXPECT_THAT(Requirements("13.0", {"cudnn"}),
              ElementsAre("nvidia-cudnn-cu13", "cuda-toolkit==13.0.*"));
  // Where a version has no extra for everything, all of them together are.
  EXPECT_THAT(Requirements("13.1", {"toolkit"}),
              ElementsAre("cuda-toolkit[cublas,nvcc,tileiras]==13.1.*"));
}

TEST_F(CudaPartTest, AWrongVersionNamesThoseThereAre) {
  EXPECT_THAT(Complaint("13.2", {"toolkit"}), AllOf(HasSubstr("there is no CUDA 13.2 on the index"),
                                                    HasSubstr("one of 12.9, 13.0, 13.1")));
  EXPECT_THAT(Complaint("13.0.1", {"toolkit"}), HasSubstr("there is no CUDA 13.0.1"));
}

TEST_F(CudaPartTest, AMissingComponentNamesNearOnesAndVersionsThatHaveIt) {
  EXPECT_THAT(Complaint("13.0", {"cublass"}),
              AllOf(HasSubstr("CUDA 13.0 has no component \"cublass\""),
                    HasSubstr("did you mean \"cublas\"")));
  EXPECT_THAT(Complaint("13.0", {"tileiras"}), HasSubstr("CUDA 13.1 has it"));
  EXPECT_THAT(Complaint("12.9", {"nvvm"}), HasSubstr("CUDA 13.0 has it"));
}

TEST_F(CudaPartTest, AnIndexWithoutCudaIsNamedAsSuch) {
  index_ = support::MiniIndex();
  EXPECT_THAT(Complaint("13.0", {"toolkit"}), HasSubstr("no index has cuda-toolkit"));
}

TEST_F(CudaPartTest, OneReleaseMayBeAskedForAndOthersLeftOut) {
  const specs::CudaSection section{.version = "13.0", .components = {"nvcc"}};
  ReleaseBook book = Book();
  EXPECT_THAT(CudaReleases(section, book), ElementsAre("13.0.3.0", "13.0.0"));
  const auto requirements = CudaRequirements(section, book, "13.0.0");
  ASSERT_EQ(requirements.size(), 1u);
  EXPECT_EQ(requirements[0].Render(), "cuda-toolkit[nvcc]==13.0.0");
}

TEST_F(CudaPartTest, AReleaseWithoutAComponentNamesThoseOfTheVersionThatHaveIt) {
  const specs::CudaSection section{.version = "13.0", .components = {"nvvm"}};
  ReleaseBook book = Book();
  EXPECT_THAT(CudaExtras(section, book), ElementsAre("nvvm"));
  try {
    (void)CudaExtras(section, book, "13.0.0");
    FAIL();
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.kind(), specs::ErrorKind::kUnresolvable);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("CUDA 13.0.0 has no component \"nvvm\""),
                                    HasSubstr("CUDA 13.0.3.0 has it")));
  }
}

TEST_F(CudaPartTest, PartsMayBeOfDifferentReleasesOfAVersion) {
  index_.AddWheel("cuda-toolkit", "12.6.3",
                  {.requires_dist = {"nvidia-cublas-cu12==12.6.4.1.*; extra == 'cublas'",
                                     "nvidia-cuda-nvrtc-cu12==12.6.85.*; extra == 'nvrtc'",
                                     "cuda-toolkit[cublas,nvrtc]; extra == 'all'"},
                   .provides_extra = {"all", "cublas", "nvrtc"}});
  ReleaseBook book = Book();
  const LooseCuda loose =
      LooseCudaRequirements({.version = "12.6", .components = {"nvrtc", "cudnn"}}, book);
  EXPECT_THAT(Texts(loose.requirements),
              ElementsAre("nvidia-cudnn-cu12", "nvidia-cuda-nvrtc-cu12==12.6.*"));
  EXPECT_THAT(Texts(loose.constraints),
              UnorderedElementsAre("nvidia-cublas-cu12==12.6.*", "nvidia-cuda-nvrtc-cu12==12.6.*",
                                   "cuda-toolkit==12.6.*"));
}

TEST(HasOtherCuda, GoesByTheLibrariesNames) {
  const specs::CudaSection twelve{.version = "12.8"};
  const specs::CudaSection thirteen{.version = "13.0"};
  for (const char* ours : {"nvidia-cublas-cu12", "nvidia-nccl-cu11", "torch"}) {
    EXPECT_FALSE(HasOtherCuda(twelve, {ours})) << ours;
  }
  EXPECT_TRUE(HasOtherCuda(twelve, {"torch", "nvidia-cuda-runtime-cu11"}));
  EXPECT_TRUE(HasOtherCuda(twelve, {"nvidia-cublas"}));
  EXPECT_TRUE(HasOtherCuda(thirteen, {"nvidia-cublas-cu12"}));
  EXPECT_FALSE(HasOtherCuda(thirteen, {"nvidia-cublas", "nvidia-cuda-runtime"}));
}

TEST(CudaDebianPackages, NvccNeedsItsHostCompiler) {
  auto packages = [](const std::string& name, const std::string& layer) {
    specs::LockedPackage wheel;
    wheel.kind = specs::PackageKind::kWheel;
    wheel.name = name;
    wheel.layer = layer;
    return CudaDebianPackages({.enabled = true, .version = "13.0", .components = {"all"}}, {wheel});
  };
  EXPECT_THAT(packages("nvidia-cuda-nvcc", "cuda"), ElementsAre("g++"));
  EXPECT_THAT(packages("nvidia-cuda-nvcc", "python"), IsEmpty());     // brought by another
  EXPECT_THAT(packages("nvidia-cuda-nvcc-cu12", "cuda"), IsEmpty());  // only ptxas
  EXPECT_THAT(packages("nvidia-cublas", "cuda"), IsEmpty());
}

TEST(CudaDebianPackages, DebiansToolkitComesWithTheCompilerItAccepts) {
  EXPECT_THAT(
      CudaDebianPackages(
          {.enabled = true, .version = "11.8", .components = {"toolkit"}, .provider = "debian"},
          {}),
      ElementsAre("nvidia-cuda-toolkit", "nvidia-cuda-toolkit-gcc"));
}

}  // namespace
}  // namespace imgbuild::builder
