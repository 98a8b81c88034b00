// Wheels that lie beside the spec.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/file.h"
#include "specs/base/digest.h"
#include "specs/env/lock.h"
#include "tests/support/make_wheel.h"
#include "tests/support/temp_folder.h"
#include "tests/whole_build/layout_reader.h"
#include "tests/whole_build/world.h"

namespace imgbuild::whole_build {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kSpecWithWheel[] = R"(format = 1
[image]
name = "wheels"
platforms = ["linux/amd64"]
[system]
keyring = "archive.gpg"
[python]
version = "3.11"
packages = ["wheels/ours-1.0-py3-none-any.whl", "../shared/theirs-1.0-py3-none-any.whl"]
compile = "none"
)";

std::string Wheel(const std::string& name, const std::string& code) {
  support::MakeWheel wheel;
  wheel.name = name;
  wheel.version = "1.0";
  wheel.members = {{.name = name + ".py", .content = code}};
  return wheel.Bytes();
}

class LocalWheels : public testing::Test {
 protected:
  LocalWheels() {
    fs::create_directories(project() / "envs/wheels");
    fs::create_directories(project() / "shared");
    Write("envs/nb.toml", kSpecWithWheel);
    Write("envs/archive.gpg", world_.public_key());
    Write(kOurs, Wheel("ours", "x = 1\n"));
    Write("shared/theirs-1.0-py3-none-any.whl", Wheel("theirs", "y = 1\n"));
  }

  fs::path project() const { return folder_.path() / "project"; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(project() / name, std::ios::binary) << text;
  }
  std::string Lock() const { return layers::ReadFile(project() / "envs/nb.lock"); }

  Ended Build(const fs::path& folder, const std::string& spec,
              const std::vector<std::string>& more = {}) {
    Invocation run{.folder = folder,
                   .cache = folder_.path() / "cache",
                   .arguments = {"build", spec, "--plain", "-o", "oci:" + Layout().string()},
                   .environment = {}};
    run.arguments.insert(run.arguments.end(), more.begin(), more.end());
    return Execute(world_, run);
  }
  fs::path Layout() const { return folder_.path() / "out.oci"; }
  // Of a build with an empty cache, which has to succeed.
  std::string Index(const fs::path& folder, const std::string& spec) {
    fs::remove_all(Layout());
    fs::remove_all(folder_.path() / "cache");
    const Ended ended = Build(folder, spec);
    EXPECT_EQ(ended.status, 0) << ended.output;
    return layers::ReadFile(Layout() / "index.json");
  }

  static constexpr char kOurs[] = "envs/wheels/ours-1.0-py3-none-any.whl";
  World world_{Contents::kSmall};
  support::TempFolder folder_;
};

TEST_F(LocalWheels, GiveOneImageFromWhereverItIsBuilt) {
  const std::string first = Index(project() / "envs", "nb.toml");
  const std::string lock = Lock();
  EXPECT_THAT(lock, AllOf(HasSubstr("path = \"wheels/ours-1.0-py3-none-any.whl\""),
                          Not(HasSubstr(folder_.path().string()))));
  const std::vector<std::pair<fs::path, std::string>> places = {
      {project(), "envs/nb.toml"},
      {folder_.path(), (project() / "envs/nb.toml").string()},
      {project() / "shared", "../envs/nb.toml"}};
  for (const auto& [folder, spec] : places) {
    EXPECT_EQ(Index(folder, spec), first) << spec << ", with the lock";
    fs::remove(project() / "envs/nb.lock");
    EXPECT_EQ(Index(folder, spec), first) << spec << ", without a lock";
    EXPECT_EQ(Lock(), lock) << spec;
  }
}

TEST_F(LocalWheels, ARebuiltOneIsBuiltIn) {
  const std::string first = Index(project() / "envs", "nb.toml");
  const std::string rebuilt = Wheel("ours", "x = 2\n");
  Write(kOurs, rebuilt);

  const Ended refused = Build(project(), "envs/nb.toml", {"--locked"});
  EXPECT_EQ(refused.status, 1) << refused.output;
  const std::string locked = specs::HashOf(Wheel("ours", "x = 1\n")).Hex();
  EXPECT_THAT(refused.output, AllOf(HasSubstr(kOurs), HasSubstr(specs::HashOf(rebuilt).Hex()),
                                    HasSubstr(locked), HasSubstr("imgbuild lock envs/nb.toml")));

  const Ended again = Build(project(), "envs/nb.toml");
  EXPECT_EQ(again.status, 0) << again.output;
  EXPECT_NE(layers::ReadFile(Layout() / "index.json"), first);
  EXPECT_THAT(Lock(), HasSubstr(specs::HashOf(rebuilt).Hex()));
  EXPECT_EQ(Build(project(), "envs/nb.toml", {"--locked"}).status, 0);
}

}  // namespace
}  // namespace imgbuild::whole_build
