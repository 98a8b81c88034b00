// Images of several platforms, of one picked out of them, and of layers that are cut, in the small
// world.
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/archive.h"
#include "layers/io/file.h"
#include "tests/support/temp_folder.h"
#include "tests/whole_build/layout_reader.h"
#include "tests/whole_build/world.h"

namespace imgbuild::whole_build {
namespace {

namespace fs = std::filesystem;
using specs::Architecture;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kSpecForBoth[] = R"(format = 1
[image]
name = "both"
platforms = [{}]
{}
[system]
keyring = "archive.gpg"
[python]
version = "3.11"
packages = ["pip"]
compile = "none"
)";
constexpr char kBoth[] = R"("linux/amd64", "linux/arm64")";

class PlatformsBuild : public testing::Test {
 protected:
  PlatformsBuild() {
    Write("archive.gpg", world_.public_key());
    WriteSpec(kBoth);
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_.path() / name, std::ios::binary) << text;
  }
  void WriteSpec(const std::string& platforms, const std::string& more = "") {
    Write("both.toml", fmt::format(fmt::runtime(kSpecForBoth), platforms, more));
  }
  std::string Text(const std::string& name) { return layers::ReadFile(folder_.path() / name); }

  Ended Run(std::vector<std::string> arguments, const std::string& cache = "cache") {
    return Execute(world_, {.folder = folder_.path(),
                            .cache = folder_.path() / cache,
                            .arguments = std::move(arguments)});
  }
  std::string Succeed(std::vector<std::string> arguments, const std::string& cache = "cache") {
    const Ended ended = Run(std::move(arguments), cache);
    EXPECT_EQ(ended.status, 0) << ended.output;
    return ended.output;
  }

  // A member of an archive.
  std::string Member(const std::string& archive, const std::string& name) {
    layers::FileSource file(folder_.path() / archive);
    layers::ArchiveReader reader(file, layers::ArchiveFormat::kTar);
    while (auto entry = reader.Next()) {
      if (entry->path == name) return layers::ReadAll(reader.Data());
    }
    ADD_FAILURE() << archive << " has no " << name;
    return "";
  }

  World world_{Contents::kSmall};
  support::TempFolder folder_;
};

TEST_F(PlatformsBuild, TheirOrderInTheSpecIsInNoByte) {
  Succeed({"build", "both.toml"});
  const std::string index = Text("both.oci/index.json");
  WriteSpec(R"("linux/arm64", "linux/amd64")");
  EXPECT_THAT(Succeed({"build", "both.toml", "--locked"}), HasSubstr("(unchanged)"));
  Succeed({"build", "both.toml", "--locked", "-o", "oci:elsewhere.oci"}, "other-cache");
  EXPECT_EQ(Text("elsewhere.oci/index.json"), index);
}

TEST_F(PlatformsBuild, WhoBuildsForOneLocksForAll) {
  Succeed({"build", "both.toml", "--platform", "linux/arm64"});
  EXPECT_EQ(ReadLayout(folder_.path() / "both.oci").platforms.size(), 1u);
  const std::string lock = Text("both.lock");
  Succeed({"build", "both.toml", "--locked"});
  EXPECT_EQ(Text("both.lock"), lock);
  const ReadImage image = ReadLayout(folder_.path() / "both.oci");
  ASSERT_EQ(image.platforms.size(), 2u);
  EXPECT_EQ(image.platforms[0].config.platform.architecture, Architecture::kAmd64);
  EXPECT_EQ(image.platforms[1].config.platform.architecture, Architecture::kArm64);
}

TEST_F(PlatformsBuild, AnArchiveOfTwoIsTheLayout) {
  Succeed({"build", "both.toml", "-o", "oci:both.oci", "-o", "oci-archive:both.tar"});
  EXPECT_EQ(Member("both.tar", "index.json"), Text("both.oci/index.json"));
  Succeed({"copy", "oci-archive:both.tar", "oci:back.oci"});
  const ReadImage back = ReadLayout(folder_.path() / "back.oci");
  ASSERT_EQ(back.platforms.size(), 2u);
  EXPECT_EQ(back.platforms[1].config.platform.architecture, Architecture::kArm64);
}

TEST_F(PlatformsBuild, ADockerArchiveHoldsTheOneThatWasChosen) {
  const Ended several = Run({"build", "both.toml", "-o", "docker-archive:two.tar"});
  EXPECT_EQ(several.status, 2) << several.output;
  EXPECT_THAT(several.output, AllOf(HasSubstr("holds one platform"), HasSubstr("--platform")));
  for (const char* architecture : {"amd64", "arm64"}) {
    const std::string archive = std::string(architecture) + ".tar";
    Succeed({"build", "both.toml", "--platform", "linux/" + std::string(architecture), "-o",
             "docker-archive:" + archive});
    const std::string manifest = Member(archive, "manifest.json");
    const std::size_t config = manifest.find("\"Config\":\"") + 10;
    EXPECT_THAT(Member(archive, manifest.substr(config, manifest.find('"', config) - config)),
                HasSubstr(fmt::format("\"architecture\":\"{}\"", architecture)));
  }
}

TEST_F(PlatformsBuild, LayersThatAreCutAreTheSameImage) {
  WriteSpec(kBoth);
  Succeed({"build", "both.toml", "-o", "oci:whole.oci"});
  WriteSpec(kBoth, "max-layer-size = \"1MB\"");
  Succeed({"build", "both.toml", "-o", "oci:cut.oci"});
  const ReadImage whole = ReadLayout(folder_.path() / "whole.oci");
  const ReadImage cut = ReadLayout(folder_.path() / "cut.oci");
  for (std::size_t i = 0; i < whole.platforms.size(); ++i) {
    EXPECT_GT(cut.platforms[i].layers.size(), whole.platforms[i].layers.size());
    const std::map<std::string, Entry> all = whole.platforms[i].Union();
    const std::map<std::string, Entry> same = cut.platforms[i].Union();
    ASSERT_EQ(all.size(), same.size());
    for (const auto& [path, entry] : all) {
      ASSERT_TRUE(same.contains(path)) << path;
      if (path == "etc/imgbuild/spec.toml") continue;
      EXPECT_EQ(same.at(path).content, entry.content) << path;
    }
  }
}

TEST_F(PlatformsBuild, MoreLayersThanEnginesStackAreRefused) {
  fs::create_directory(folder_.path() / "data");
  for (int i = 0; i < 100; ++i) {
    const fs::path file = folder_.path() / "data" / std::to_string(i);
    std::ofstream(file) << i;
    fs::resize_file(file, 1'000'000);
  }
  WriteSpec("\"linux/amd64\"", "max-layer-size = \"1MB\"");
  Write("both.toml", Text("both.toml") + "[[files]]\nfrom = \"data\"\nto = \"/data\"\n");
  const Ended ended = Run({"build", "both.toml"});
  EXPECT_EQ(ended.status, 2) << ended.output;
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("at most 100"), HasSubstr("raise image.max-layer-size")));
  EXPECT_FALSE(fs::exists(folder_.path() / "both.oci"));
}

TEST_F(PlatformsBuild, ASectionThatIsLeftOutIsSaid) {
  WriteSpec("\"linux/arm64\"");
  Write("both.toml", Text("both.toml") + "[cuda]\nenabled = true\nversion = \"13.0\"\n");
  EXPECT_THAT(Succeed({"build", "both.toml"}),
              HasSubstr("CUDA 13.0 (toolkit) is left out: there is none for linux/arm64"));
  EXPECT_THAT(Succeed({"build", "both.toml", "--json"}),
              HasSubstr("\"notes\":[\"CUDA 13.0 (toolkit) is left out"));
  Write("both.toml", Text("both.toml") + "components = []\n");
  EXPECT_THAT(Run({"build", "both.toml"}).output, HasSubstr("cuda.components is empty"));
}

}  // namespace
}  // namespace imgbuild::whole_build
