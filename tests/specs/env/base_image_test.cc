// [system] image: an image to build on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/env/canonical.h"
#include "specs/env/spec.h"
#include "tests/specs/env/fake_files.h"

namespace imgbuild::specs {
namespace {

using testing::HasSubstr;

std::string ImageOf(const std::string& value, const std::string& file = "spec.toml") {
  FakeFiles files{{{file, "[system]\nimage = \"" + value + "\"\n"}}};
  return files.Load(file).spec.system.image.value_or("");
}

TEST(BaseImageKey, IsARegistrysOrAFiles) {
  EXPECT_EQ(ImageOf("registry.example/python:3.11"), "registry.example/python:3.11");
  EXPECT_EQ(ImageOf("docker://registry.example:5000/a/b"), "registry.example:5000/a/b");
  EXPECT_EQ(ImageOf("oci:base.oci:v1", "/envs/spec.toml"), "oci:/envs/base.oci:v1");
  EXPECT_EQ(ImageOf("oci-archive:../base.tar", "envs/spec.toml"), "oci-archive:base.tar");
  EXPECT_EQ(ImageOf("docker-archive:/srv/base.tar"), "docker-archive:/srv/base.tar");
  EXPECT_FALSE(LoadText("").spec.system.image);
}

TEST(BaseImageKey, RefusesWhatIsNoImage) {
  for (const char* wrong :
       {"python:3.11", "", "oci:", "registry.example/UPPER", "registry.example/a@sha256:12"}) {
    EXPECT_THAT(ComplaintAbout(std::string("[system]\nimage = \"") + wrong + "\"\n"),
                HasSubstr("spec.toml:2:9: system.image is no image"))
        << wrong;
  }
}

TEST(BaseImageKey, RefusesWhatABaseCannotHave) {
  const std::string complaint = ComplaintAbout(R"(
[system]
image = "registry.example/python:3.11"
suite = "trixie"
profile = "slim"
packages = ["git"]
[cuda]
version = "11.8"
provider = "debian"
components = ["toolkit"]
)");
  EXPECT_THAT(complaint, HasSubstr("spec.toml:4:1: system.suite cannot go with system.image"));
  EXPECT_THAT(complaint, HasSubstr("spec.toml:5:1: system.profile cannot"));
  EXPECT_THAT(complaint, HasSubstr("spec.toml:6:1: system.packages cannot"));
  EXPECT_THAT(complaint, HasSubstr("spec.toml:9:1: Debian's CUDA packages cannot"));
}

TEST(BaseImageKey, BringsAPythonOfItsOwn) {
  const std::string base = "[system]\nimage = \"registry.example/python\"\n[python]\nversion = ";
  EXPECT_EQ(LoadText(base + "\"3.12\"").spec.python.version, "3.12");
  EXPECT_EQ(LoadText(base + "\"3.13\"").spec.system.suite, Suite::kTrixie);
  for (const char* wrong : {"2.7", "3", "3.8", "3.12.1", "3.x"}) {
    EXPECT_THAT(ComplaintAbout(base + "\"" + wrong + "\""),
                HasSubstr("expected that of the base image's Python"))
        << wrong;
  }
}

TEST(BaseImageKey, IsPartOfTheSpecButNotWhereItsFileLies) {
  const auto load = [](const std::string& folder, const std::string& image) {
    const std::string file = folder + "spec.toml";
    return FakeFiles{{{file, "[system]\nimage = \"" + image + "\"\n"}}}.Load(file);
  };
  const LoadedSpec here = load("", "oci:base.oci");
  const LoadedSpec there = load("/home/me/", "oci:base.oci");
  EXPECT_EQ(RenderCanonical(here.spec, here.sources.folder),
            RenderCanonical(there.spec, there.sources.folder));
  EXPECT_THAT(RenderCanonical(there.spec, "/home/me"), HasSubstr("image = \"oci:base.oci\""));
  EXPECT_EQ(ResolutionInputs(here.spec), ResolutionInputs(there.spec));
  EXPECT_NE(ResolutionInputs(here.spec), ResolutionInputs(load("", "oci:other.oci").spec));
  EXPECT_NE(ResolutionInputs(here.spec), ResolutionInputs(LoadText("").spec));
  const LoadedSpec again = LoadText(RenderCanonical(here.spec, "."));
  EXPECT_EQ(again.spec.system, here.spec.system);
}

}  // namespace
}  // namespace imgbuild::specs
