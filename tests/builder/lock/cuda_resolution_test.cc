#include "builder/lock/cuda_resolution.h"

#include <map>
#include <string>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/pypi/index_client.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "tests/support/mini_index.h"

namespace imgbuild::builder {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// An index with two releases of CUDA 12.8. A "framework" pins parts of them as torch does; "model"
// needs it, so that the toolkit is chosen before it.
class CudaResolutionTest : public testing::Test {
 protected:
  CudaResolutionTest() {
    AddRelease("12.8.0", {{"cublas", "12.8.3"}, {"nvrtc", "12.8.61"}});
    AddRelease("12.8.1", {{"cublas", "12.8.4"}, {"nvrtc", "12.8.93"}, {"cufile", "1.13.1"}});
    index_.AddWheel("model", "1.0", {.requires_dist = {"framework"}});
    index_.AddWheel("nvidia-cublas-cu11", "11.10");
  }

  // A release of the toolkit, and the versions of the parts that it has.
  void AddRelease(const std::string& version, const std::map<std::string, std::string>& parts) {
    support::MiniMetadata kit;
    for (const auto& [part, part_version] : parts) {
      const std::string project = "nvidia-" + part + "-cu12";
      kit.requires_dist.push_back(project + "==" + part_version + "; extra == '" + part + "'");
      kit.provides_extra.push_back(part);
      index_.AddWheel(project, part_version);
    }
    index_.AddWheel("cuda-toolkit", version, kit);
  }

  void AddFramework(const std::string& version, const std::vector<std::string>& requires_dist) {
    index_.AddWheel("framework", version, {.requires_dist = requires_dist});
  }

  void Require(const std::string& text) {
    auto parsed = specs::Requirement::Parse(text);
    input_.requirements.push_back(std::get<specs::Requirement>(std::move(parsed)));
  }

  ResolveContext Context() {
    return {.http = http_,
            .indexes = {MakeIndex("default", "https://index.example/simple")},
            .cache_folder = {},
            .now = 1'800'000'000};
  }

  // With the section's components.
  Resolution Resolve(const std::vector<std::string>& components) {
    const specs::CudaSection section{.enabled = true, .version = "12.8", .components = components};
    ReleaseBook book(input_, Context());
    return ResolveWithCuda(section, input_, book, [this](const ResolveInput& input) {
      std::vector<std::string> texts;
      for (const specs::Requirement& requirement : input.optional.requirements) {
        texts.push_back(requirement.Render());
      }
      asked_.push_back(specs::Join(texts, " "));
      return ResolvePython(input, Context());
    });
  }

  std::string Complaint(const std::vector<std::string>& components) {
    try {
      (void)Resolve(components);
    } catch (const specs::Error& error) {
      EXPECT_EQ(error.kind(), specs::ErrorKind::kUnresolvable);
      return error.what();
    }
    return "";
  }

  // "" where it is not there.
  static std::string Version(const Resolution& resolution, const std::string& project) {
    for (const ResolvedPackage& package : resolution.packages) {
      if (package.name == project) return package.version;
    }
    return "";
  }

  support::MiniIndex index_;
  support::FakeHttpClient http_{[this](const auto& request) { return index_.Answer(request); }};
  ResolveInput input_{.target = MakeTarget("3.11.2", {specs::Architecture::kAmd64})};
  std::vector<std::string> asked_;  // what of the section, each time
};

TEST_F(CudaResolutionTest, OneSetAtOnceIsAskedForOnce) {
  AddFramework("2.7", {"nvidia-cublas-cu12==12.8.4"});
  Require("model");
  const Resolution found = Resolve({"cublas"});
  EXPECT_THAT(asked_, ElementsAre("cuda-toolkit[cublas]==12.8.*"));
  EXPECT_EQ(Version(found, "framework"), "2.7");
  EXPECT_EQ(Version(found, "cuda-toolkit"), "12.8.1");
}

TEST_F(CudaResolutionTest, TheReleaseThatAFrameworkPinsIsFound) {
  AddFramework("2.0", {"nvidia-cublas-cu11"});
  AddFramework("2.7", {"nvidia-cublas-cu12==12.8.3"});
  Require("model");
  const Resolution found = Resolve({"cublas"});
  // Not that of the first answer again.
  EXPECT_THAT(asked_, ElementsAre("cuda-toolkit[cublas]==12.8.*", "cuda-toolkit[cublas]==12.8.0"));
  EXPECT_EQ(Version(found, "framework"), "2.7");
  EXPECT_EQ(Version(found, "cuda-toolkit"), "12.8.0");
  EXPECT_EQ(Version(found, "nvidia-cublas-cu11"), "");
}

TEST_F(CudaResolutionTest, AtLastPartsAreOfDifferentReleases) {
  AddFramework("2.0", {"nvidia-cublas-cu11"});
  AddFramework("2.7", {"nvidia-cublas-cu12==12.8.3", "nvidia-nvrtc-cu12==12.8.93"});
  Require("framework");
  const Resolution found = Resolve({"cublas"});
  EXPECT_THAT(asked_, ElementsAre("cuda-toolkit[cublas]==12.8.*", "cuda-toolkit[cublas]==12.8.0",
                                  "nvidia-cublas-cu12==12.8.*"));
  EXPECT_EQ(Version(found, "framework"), "2.7");
  EXPECT_EQ(Version(found, "nvidia-cublas-cu12"), "12.8.3");
  EXPECT_EQ(Version(found, "nvidia-nvrtc-cu12"), "12.8.93");
}

TEST_F(CudaResolutionTest, WhereNothingMakesItOneSetTheFirstAnswerCounts) {
  AddFramework("2.0", {"nvidia-cublas-cu11"});
  Require("model");
  const Resolution found = Resolve({"cublas"});
  EXPECT_EQ(asked_.size(), 3u);
  EXPECT_EQ(Version(found, "cuda-toolkit"), "12.8.1");
  EXPECT_EQ(Version(found, "nvidia-cublas-cu11"), "11.10");
}

// Which is so for whatever has nothing to do with CUDA.
TEST_F(CudaResolutionTest, WhatNoReleaseAllowsIsNotAskedOfEach) {
  index_.AddWheel("tool", "1.0", {.requires_dist = {"numpy<2"}});
  index_.AddWheel("numpy", "1.26");
  index_.AddWheel("numpy", "2.1");
  Require("tool");
  Require("numpy>=2");
  EXPECT_THAT(Complaint({"cublas"}), AllOf(HasSubstr("numpy"), HasSubstr("tool")));
  EXPECT_THAT(asked_, ElementsAre("cuda-toolkit[cublas]==12.8.*", "nvidia-cublas-cu12==12.8.*"));
}

TEST_F(CudaResolutionTest, WhatNoReleaseAllowsMayBeHadInParts) {
  AddFramework("2.7", {"nvidia-cublas-cu12==12.8.3", "nvidia-nvrtc-cu12==12.8.93"});
  Require("framework");
  EXPECT_EQ(Version(Resolve({"cublas"}), "framework"), "2.7");
  EXPECT_THAT(asked_, ElementsAre("cuda-toolkit[cublas]==12.8.*", "nvidia-cublas-cu12==12.8.*"));
}

TEST_F(CudaResolutionTest, AReleaseWithoutAComponentIsNoAnswer) {
  AddFramework("2.6", {"nvidia-cublas-cu12==12.8.4"});
  AddFramework("2.7", {"nvidia-cublas-cu12==12.8.3"});
  Require("framework");
  const Resolution found = Resolve({"cublas", "cufile"});
  EXPECT_THAT(asked_, ElementsAre("cuda-toolkit[cublas,cufile]==12.8.*",
                                  "cuda-toolkit[cublas,cufile]==12.8.1"));
  EXPECT_EQ(Version(found, "framework"), "2.6");
  EXPECT_EQ(Version(found, "nvidia-cufile-cu12"), "1.13.1");
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST_F(CudaResolutionTest, AComponentThatCannotBeHadIsNamedWithTheRelease) {
  index_.AddWheel("nvidia-cufile-cu12", "0.9");
  AddFramework("2.7", {"nvidia-cublas-cu12==12.8.3", "nvidia-cufile-cu12<1"});
  Require("framework");
  EXPECT_THAT(Complaint({"cublas", "cufile"}),
              AllOf(HasSubstr("CUDA 12.8.0 has no component \"cufile\""),
                    HasSubstr("with CUDA 12.8.0, which goes with the other packages"),
                    HasSubstr("CUDA 12.8.1 has it")));
  EXPECT_THAT(asked_, ElementsAre("cuda-toolkit[cublas,cufile]==12.8.*",
                                  "cuda-toolkit[cublas,cufile]==12.8.1",
                                  "nvidia-cufile-cu12==1.13.* nvidia-cublas-cu12==12.8.*"));
}

// Another release that lacks the component takes no answer away.
TEST_F(CudaResolutionTest, TheFirstAnswerStaysWhereOthersLackAComponent) {
  AddFramework("2.0", {"nvidia-cublas-cu11"});
  Require("model");
  const Resolution found = Resolve({"cufile"});
  EXPECT_THAT(asked_, ElementsAre("cuda-toolkit[cufile]==12.8.*", "nvidia-cufile-cu12==1.13.*"));
  EXPECT_EQ(Version(found, "cuda-toolkit"), "12.8.1");
}

TEST_F(CudaResolutionTest, TheRuntimeIsThatOfTheReleaseThatIsChosen) {
  AddFramework("2.7", {"nvidia-cublas-cu12==12.8.3"});
  Require("framework");
  const Resolution found = Resolve({"runtime"});
  EXPECT_THAT(asked_, ElementsAre("cuda-toolkit[cublas,cufile,nvrtc]==12.8.*",
                                  "cuda-toolkit[cublas,nvrtc]==12.8.0"));
  EXPECT_EQ(Version(found, "nvidia-nvrtc-cu12"), "12.8.61");
  EXPECT_THAT(found.warnings, IsEmpty());
}

}  // namespace
}  // namespace imgbuild::builder
