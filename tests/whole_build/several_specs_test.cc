// Several specs in one command.
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/file.h"
#include "tests/support/temp_folder.h"
#include "tests/whole_build/layout_reader.h"
#include "tests/whole_build/world.h"

namespace imgbuild::whole_build {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kSpecOfSeveral[] = R"(format = 1
[image]
platforms = ["linux/amd64"]
{}
[system]
keyring = "../archive.gpg"
[python]
version = "3.11"
packages = ["{}"]
compile = "none"
)";

class SeveralSpecs : public testing::Test {
 protected:
  SeveralSpecs() {
    fs::create_directories(project());
    std::ofstream(project() / "archive.gpg", std::ios::binary) << world_.public_key();
  }

  fs::path project() const { return folder_.path() / "project"; }
  // `image` are lines of [image].
  void Write(const std::string& folder, const std::string& image, const std::string& package) {
    fs::create_directories(project() / folder);
    std::ofstream(project() / folder / "spec.toml") << fmt::format(kSpecOfSeveral, image, package);
  }
  Ended Run(const std::vector<std::string>& arguments) {
    return Execute(world_, {.folder = project(),
                            .cache = folder_.path() / "cache",
                            .arguments = arguments,
                            .environment = {}});
  }

  World world_{Contents::kSmall};
  support::TempFolder folder_;
};

TEST_F(SeveralSpecs, EachGoUnderTheirOwnNames) {
  Write("a", "name = \"team/app\"", "pip");
  Write("b", "name = \"other/app\"", "starlette");
  Write("c", "name = \"solo\"", "pip");
  const Ended ended = Run({"build", "a/spec.toml", "b/spec.toml", "c/spec.toml", "--plain"});
  ASSERT_EQ(ended.status, 0) << ended.output;
  EXPECT_NO_THROW(ReadLayout(project() / "solo.oci"));
  EXPECT_THAT(layers::ReadFile(project() / "app.oci/index.json"),
              AllOf(HasSubstr("\"org.opencontainers.image.ref.name\":\"team/app\""),
                    HasSubstr("\"org.opencontainers.image.ref.name\":\"other/app\"")));
}

// Without image.name the file gives it.
TEST_F(SeveralSpecs, WhoseImagesWouldReplaceEachOtherAreRefused) {
  Write("a", "", "pip");
  Write("b", "", "starlette");
  const Ended ended = Run({"build", "a/spec.toml", "b/spec.toml", "--plain"});
  EXPECT_EQ(ended.status, 2) << ended.output;
  EXPECT_THAT(ended.output, AllOf(HasSubstr("a/spec.toml and b/spec.toml would both be written to "
                                            "oci:spec.oci:spec"),
                                  HasSubstr("image.name"), HasSubstr("-o")));
  EXPECT_EQ(world_.requests(), 0u);
  EXPECT_FALSE(fs::exists(project() / "spec.oci"));
  EXPECT_FALSE(fs::exists(project() / "a/spec.lock"));
}

TEST_F(SeveralSpecs, AreAllReadBeforeTheFirstIsBuilt) {
  Write("a", "name = \"first\"", "pip");
  Write("b", "nmae = \"second\"", "pip");
  const Ended ended = Run({"build", "a/spec.toml", "b/spec.toml", "--plain"});
  EXPECT_EQ(ended.status, 2) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("b/spec.toml:4:1: unknown key \"image.nmae\""));
  EXPECT_EQ(world_.requests(), 0u);
  EXPECT_FALSE(fs::exists(project() / "first.oci"));
}

}  // namespace
}  // namespace imgbuild::whole_build
