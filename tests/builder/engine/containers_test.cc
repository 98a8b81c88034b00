#include "builder/engine/containers.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/builder/engine/fake_engine.h"

namespace imgbuild::builder {
namespace {

using testing::HasSubstr;

TEST(Containers, AreFoundByTheirLabel) {
  const FakeEngine fake("podman",
                        "printf 'imgbuild-web\\tUp 2 minutes\\t127.0.0.1:80->80/tcp\\n'\n"
                        "printf 'imgbuild-nb\\tUp 1 second\\t\\n'\n"
                        "printf 'named-by-hand\\tUp 1 second\\t\\n'");
  const auto found = FindContainers(fake.Get(EngineKind::kPodman, "podman"));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].environment, "nb");
  EXPECT_EQ(found[1],
            (FoundContainer{"imgbuild-web", "web", "Up 2 minutes", "127.0.0.1:80->80/tcp"}));
  EXPECT_THAT(fake.told(), HasSubstr("ps -a --filter label=imgbuild.environment --format"));
}

TEST(Containers, NoneAreNone) {
  const FakeEngine fake("docker", "");
  EXPECT_TRUE(FindContainers(fake.Get(EngineKind::kDocker, "docker")).empty());
}

TEST(Containers, AnEngineThatFailsIsAnError) {
  const FakeEngine fake("docker", "exit 125");
  const Engine engine = fake.Get(EngineKind::kDocker, "docker");
  EXPECT_THROW(FindContainers(engine), specs::Error);
  EXPECT_THROW(RemoveContainer(
                   engine, {.name = "x", .environment = "", .status = "Up 1 second", .ports = ""}),
               specs::Error);
}

const FoundContainer kUp{
    .name = "imgbuild-nb", .environment = "nb", .status = "Up 1 second", .ports = ""};

// Engines remove in the background: docker run with the same name fails until that is done.
TEST(Containers, AreGoneOnceRemoved) {
  const FakeEngine fake("docker", R"(cd "${0%/*}"
case $1 in
  stop) echo 3 >left ;;
  ps) left=$(cat left); [ "$left" = 0 ] || printf 'imgbuild-nb\tRemoval In Progress\t\n'
      echo $((left - 1)) >left ;;
esac)");
  RemoveContainer(fake.Get(EngineKind::kDocker, "docker"), kUp);
  const std::string told = fake.told();
  EXPECT_TRUE(told.starts_with("stop imgbuild-nb\n"));
  EXPECT_EQ(std::ranges::count(told, '\n'), 5);
  EXPECT_THAT(told, testing::Not(HasSubstr("rm ")));
}

TEST(Containers, ThoseThatEndedAreRemovedWithoutBeingStopped) {
  const FakeEngine fake("podman", R"([ $1 != ps ] || printf 'imgbuild-nb\tExited (137)\t\n')");
  FoundContainer dead = kUp;
  dead.status = "Exited (137) 2 hours ago";
  RemoveContainer(fake.Get(EngineKind::kPodman, "podman"), dead);
  EXPECT_THAT(fake.told(), testing::EndsWith("rm -f imgbuild-nb\n"));
  EXPECT_THAT(fake.told(), testing::Not(HasSubstr("stop")));
}

// nerdctl keeps what ran in the background.
TEST(Containers, AreRemovedWhereTheEngineDoesNot) {
  const FakeEngine fake("nerdctl", R"([ $1 != ps ] || printf 'imgbuild-nb\tExited (0)\t\n')");
  RemoveContainer(fake.Get(EngineKind::kNerdctl, "nerdctl"), kUp);
  const std::string told = fake.told();
  EXPECT_TRUE(told.starts_with("stop imgbuild-nb\nps "));
  EXPECT_TRUE(told.ends_with("\nrm -f imgbuild-nb\n"));
  EXPECT_EQ(std::ranges::count(told, '\n'), 3);
}

TEST(Containers, MayBeRemovedBySomebodyElseMeanwhile) {
  const FakeEngine fake("nerdctl", R"(cd "${0%/*}"
case $1 in
  ps) [ -f removed ] || printf 'imgbuild-nb\tExited (0)\t\n' ;;
  rm) touch removed; exit 1 ;;
esac)");
  RemoveContainer(fake.Get(EngineKind::kNerdctl, "nerdctl"), kUp);
  EXPECT_THAT(fake.told(), HasSubstr("rm -f imgbuild-nb\n"));
  const FakeEngine refuses("nerdctl", R"(case $1 in
  ps) printf 'imgbuild-nb\tExited (0)\t\n' ;;
  rm) exit 1 ;;
esac)");
  EXPECT_THROW(RemoveContainer(refuses.Get(EngineKind::kNerdctl, "nerdctl"), kUp), specs::Error);
}

TEST(Containers, AreUpUnlessTheyEndedOrNeverBegan) {
  for (const char* status : {"Up 5 minutes", "Up 2 hours (healthy)", "Up 1 second (Paused)",
                             "Restarting (1) 2 seconds ago", "Paused"}) {
    EXPECT_TRUE(FoundContainer{.status = status}.IsUp()) << status;
  }
  for (const char* status : {"Exited (0) 3 days ago", "Created", "Dead", "Removal In Progress",
                             "Stopped", "Initialized", "Configured"}) {
    EXPECT_FALSE(FoundContainer{.status = status}.IsUp()) << status;
  }
}

TEST(Containers, SayWhichSpecTheyAreOf) {
  const FakeEngine fake("podman", "echo /srv/spec.toml");
  EXPECT_EQ(SpecOf(fake.Get(EngineKind::kPodman, "podman"), kUp), "/srv/spec.toml");
  EXPECT_THAT(fake.told(), HasSubstr("imgbuild.spec"));
  const FakeEngine older("docker", "echo '<no value>'");
  EXPECT_EQ(SpecOf(older.Get(EngineKind::kDocker, "docker"), kUp), "");
}

TEST(ContainerNames, AreSuchAsEnginesTake) {
  EXPECT_EQ(ContainerName("notebook"), "imgbuild-notebook");
  EXPECT_EQ(ContainerName("team/note book:1"), "imgbuild-team-note-book-1");
}

}  // namespace
}  // namespace imgbuild::builder
