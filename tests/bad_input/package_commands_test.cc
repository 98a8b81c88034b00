// imgbuild add and remove: spec and lock change together, or neither does.
#include <chrono>
#include <random>

#include <gmock/gmock.h>

#include "layers/io/file.h"
#include "specs/base/text.h"
#include "specs/env/lock.h"
#include "tests/bad_input/bad_input_fixture.h"

namespace imgbuild::bad_input {
namespace {

using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr char kCommented[] = R"(format = 1
[image]
name = "small"
platforms = ["linux/amd64"]
[system]
keyring = "archive.gpg"
[python]
version = "3.11"
packages = [
  "starlette",   # the ground
  # what serves it
  "uvicorn",
]
compile = "none"
)";

class PackageCommands : public BadInput {
 protected:
  PackageCommands() { Write("small.toml", kCommented); }

  Invocation Change(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--spec", "small.toml", "--plain"});
    return Command(arguments);
  }
  std::string Done(const Invocation& run) {
    const Ended ended = whole_build::Execute(world_, run);
    EXPECT_EQ(ended.status, 0) << ended.output;
    return ended.output;
  }
  std::string Spec() const { return layers::ReadFile(project() / "small.toml"); }
  std::vector<std::string> Locked() const {
    std::vector<std::string> names;
    const specs::Lock locked = specs::ParseLock(layers::ReadFile(lock()), "lock");
    for (const specs::LockedPackage& package : locked.platforms[0].packages) {
      if (package.kind == specs::PackageKind::kWheel) names.push_back(package.name);
    }
    return names;
  }
  // Fails, and neither spec nor lock are any different.
  std::string Refused(const Invocation& run, int status) {
    const std::string spec = Spec();
    const std::string locked = layers::ReadFile(lock());
    std::string output = Fail(run, status);
    EXPECT_EQ(Spec(), spec);
    EXPECT_EQ(layers::ReadFile(lock()), locked);
    return output;
  }
};

TEST_F(PackageCommands, AddAndRemoveKeepTheRestOfTheSpec) {
  Done(Command({"lock", "small.toml"}));
  const std::string output = Done(Change({"add", "python-fasthtml>=0.1"}));
  EXPECT_THAT(output, HasSubstr("added python-fasthtml>=0.1 to python.packages of small.toml"));
  EXPECT_THAT(output, HasSubstr("  + python-fasthtml 0.1"));
  EXPECT_THAT(Spec(), HasSubstr("  \"uvicorn\",\n  \"python-fasthtml>=0.1\",\n]\n"));
  EXPECT_THAT(Spec(), HasSubstr("  \"starlette\",   # the ground\n  # what serves it\n"));
  EXPECT_THAT(Locked(), Contains("python-fasthtml"));
  EXPECT_THAT(Done(Change({"add", "python-fasthtml>=0.1"})), HasSubstr("has all of that already"));
  Succeed(Command({"build", "small.toml", "--locked", "--plain"}));
  std::filesystem::remove_all(project() / "small.oci");

  EXPECT_THAT(Done(Change({"remove", "Python_FastHTML"})), HasSubstr("  - python-fasthtml 0.1"));
  EXPECT_EQ(Spec(), kCommented);
  EXPECT_THAT(Locked(), Not(Contains("python-fasthtml")));
}

TEST_F(PackageCommands, LayersAndTheSystem) {
  Done(Change({"add", "pip", "--layer", "tools"}));
  EXPECT_THAT(Spec(), HasSubstr("[[python.layers]]\nname = \"tools\"\npackages = [\"pip\"]\n"));
  const std::string deb = world_.debs().back().name;
  EXPECT_THAT(Done(Change({"add", "--system", deb})), HasSubstr("system.packages"));
  EXPECT_THAT(Spec(), HasSubstr("packages = [\"" + deb + "\"]\nkeyring"));
  Done(Change({"remove", "--system", deb}));
  EXPECT_THAT(Spec(), HasSubstr("packages = []\nkeyring"));
}

TEST_F(PackageCommands, WhatCannotBeHadChangesNothing) {
  Done(Command({"lock", "small.toml"}));
  EXPECT_THAT(Refused(Change({"add", "no-such-package"}), 3), HasSubstr("small.toml is as it was"));
  Refused(Change({"add", "starlette<0.1"}), 3);
  Refused(Change({"add", "--system", "no-such-deb"}), 3);
  Refused(Change({"add", "what is this"}), 2);
  EXPECT_THAT(Refused(Change({"remove", "uvicron"}), 2), HasSubstr("uvicorn"));
  Refused(Change({"add", "pip", "--layer", "x", "--system"}), 2);
  Refused(Command({"add", "pip", "--spec", "other.toml"}), 2);
}

TEST_F(PackageCommands, AnOverlayStaysOutOfTheCommittedLock) {
  Write("small.local.toml", "[python]\npackages.append = [\"pip\"]\n");
  Done(Change({"add", "fastapi"}));
  EXPECT_THAT(Locked(), Contains("fastapi"));
  EXPECT_THAT(Locked(), Not(Contains("pip")));
  EXPECT_FALSE(std::filesystem::exists(project() / "small.local.lock"));
}

// Each file is whole whenever it ends; a lock that is ahead of its spec is found out by the next
// command, which resolves again.
TEST_F(PackageCommands, KilledAnywhereBothFilesAreWhole) {
  Done(Command({"lock", "small.toml"}));
  std::mt19937 random(11);
  int killed = 0;
  for (int round = 0; round < 12; ++round) {
    Write("small.toml", kCommented);
    const auto after = std::chrono::microseconds(random() % 60'000);
    killed += whole_build::Execute(world_, Change({"add", "fastapi"}), after).status != 0;
    EXPECT_THAT(Spec(), AnyOf(kCommented, HasSubstr("\"uvicorn\",\n  \"fastapi\",\n]\n")));
    EXPECT_NO_THROW((void)Locked());
  }
  EXPECT_GT(killed, 0);
  Done(Change({"add", "fastapi"}));
  EXPECT_THAT(Locked(), Contains("fastapi"));
}

}  // namespace
}  // namespace imgbuild::bad_input
