// What moves in a lock when the archive and the index have newer versions, and what stays.
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/file.h"
#include "specs/env/lock.h"
#include "tests/support/temp_folder.h"
#include "tests/whole_build/world.h"

namespace imgbuild::whole_build {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kSpecToUpgrade[] = R"(format = 1
[image]
name = "nb"
platforms = ["linux/amd64"]
[system]
keyring = "archive.gpg"
[python]
version = "3.11"
packages = [{}]
compile = "none"
)";

class Upgrade : public testing::Test {
 protected:
  Upgrade() {
    std::ofstream(folder_.path() / "archive.gpg", std::ios::binary) << world_.public_key();
    WriteSpec("\"fastapi\"");
    EXPECT_EQ(Run({"lock", "nb.toml"}).status, 0);
    first_ = Versions();
    world_.Upload("fastapi", "0.110", {"starlette>=0.36"});
    world_.Upload("starlette", "0.37");
    world_.Republish([](support::MiniSuite& suite) {
      suite.date = "Sun, 11 Feb 2024 11:07:25 UTC";
      // Beside the old ones, as where an updates suite brings them.
      for (support::MiniDeb deb : std::vector(suite.packages)) {
        if (deb.name != "sed" && deb.name != "libc6") continue;
        deb.version = deb.name == "sed" ? "1.0-2" : "2.36-9+deb12u2";
        suite.packages.push_back(deb);
      }
    });
    world_.Restart();
  }

  void WriteSpec(const std::string& packages) const {
    std::ofstream(folder_.path() / "nb.toml") << fmt::format(kSpecToUpgrade, packages);
  }
  // Without what earlier runs keep of pages and lists for minutes.
  Ended Run(const std::vector<std::string>& arguments) {
    fs::remove_all(folder_.path() / "cache");
    return Execute(world_, {.folder = folder_.path(),
                            .cache = folder_.path() / "cache",
                            .arguments = arguments,
                            .environment = {}});
  }
  // Of every package in the lock; the compilers' under "compiler NAME".
  std::map<std::string, std::string> Versions() const {
    const specs::Lock lock =
        specs::ParseLock(layers::ReadFile(folder_.path() / "nb.lock"), "nb.lock");
    std::map<std::string, std::string> versions;
    for (const specs::LockedPackage& package : lock.platforms.at(0).packages) {
      versions[package.name] = package.version;
    }
    for (const specs::LockedPackage& package : lock.compilers.at(0).packages) {
      versions["compiler " + package.name] = package.version;
    }
    return versions;
  }
  // The versions that are not those of the first lock.
  std::map<std::string, std::string> Moved() const {
    std::map<std::string, std::string> moved;
    for (const auto& [name, version] : Versions()) {
      const auto old = first_.find(name);
      if (old == first_.end() || old->second != version) moved[name] = version;
    }
    return moved;
  }
  using Map = std::map<std::string, std::string>;

  World world_{Contents::kSmall};
  support::TempFolder folder_;
  std::map<std::string, std::string> first_;
};

TEST_F(Upgrade, WithoutOneAllLockedVersionsThatStillFitStay) {
  EXPECT_EQ(Run({"lock", "nb.toml"}).status, 0);
  EXPECT_EQ(Moved(), Map());
  WriteSpec("\"fastapi\", \"uvicorn\"");
  EXPECT_EQ(Run({"lock", "nb.toml"}).status, 0);
  EXPECT_EQ(Moved(), (Map{{"uvicorn", "0.27"}}));
  WriteSpec("\"fastapi>=0.110\"");
  EXPECT_EQ(Run({"lock", "nb.toml"}).status, 0);
  EXPECT_EQ(Moved(), (Map{{"fastapi", "0.110"}}));
}

TEST_F(Upgrade, OfANameMovesThatAlone) {
  EXPECT_EQ(Run({"lock", "--upgrade", "fastapi", "nb.toml"}).status, 0);
  EXPECT_EQ(Moved(), (Map{{"fastapi", "0.110"}}));
  EXPECT_EQ(Run({"lock", "nb.toml", "--upgrade", "sed", "--upgrade", "Star_Lette"}).status, 2);
  EXPECT_EQ(Run({"lock", "nb.toml", "--upgrade", "sed", "--upgrade", "Starlette"}).status, 0);
  EXPECT_EQ(Moved(), (Map{{"fastapi", "0.110"}, {"sed", "1.0-2"}, {"starlette", "0.37"}}));
}

TEST_F(Upgrade, OfAllMovesAll) {
  const std::vector<std::vector<std::string>> forms = {{"lock", "nb.toml", "--upgrade"},
                                                       {"lock", "--upgrade", "nb.toml"}};
  const std::string lock = layers::ReadFile(folder_.path() / "nb.lock");
  for (const std::vector<std::string>& form : forms) {
    std::ofstream(folder_.path() / "nb.lock", std::ios::binary) << lock;
    const Ended ended = Run(form);
    EXPECT_EQ(ended.status, 0) << ended.output;
    EXPECT_EQ(Moved(), (Map{{"fastapi", "0.110"},
                            {"starlette", "0.37"},
                            {"sed", "1.0-2"},
                            {"libc6", "2.36-9+deb12u2"},
                            {"compiler libc6", "2.36-9+deb12u2"}}));
  }
}

TEST_F(Upgrade, OfANameThatTheLockHasNotSaysWhatWasMeant) {
  const std::string before = layers::ReadFile(folder_.path() / "nb.lock");
  const Ended ended = Run({"lock", "--upgrade", "fastapy", "nb.toml"});
  EXPECT_EQ(ended.status, 2);
  EXPECT_THAT(ended.output,
              AllOf(HasSubstr("--upgrade fastapy"), HasSubstr("did you mean \"fastapi\"?")));
  EXPECT_EQ(layers::ReadFile(folder_.path() / "nb.lock"), before);
}

}  // namespace
}  // namespace imgbuild::whole_build
