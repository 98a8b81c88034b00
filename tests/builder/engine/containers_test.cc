#include "builder/engine/containers.h"

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
            (RunningContainer{"imgbuild-web", "web", "Up 2 minutes", "127.0.0.1:80->80/tcp"}));
  EXPECT_THAT(fake.told(), HasSubstr("ps --filter label=imgbuild.environment --format"));
}

TEST(Containers, NoneAreNone) {
  const FakeEngine fake("docker", "");
  EXPECT_TRUE(FindContainers(fake.Get(EngineKind::kDocker, "docker")).empty());
}

TEST(Containers, AnEngineThatFailsIsAnError) {
  const FakeEngine fake("docker", "exit 125");
  const Engine engine = fake.Get(EngineKind::kDocker, "docker");
  EXPECT_THROW(FindContainers(engine), specs::Error);
  EXPECT_THROW(StopContainer(engine, {.name = "x", .environment = "", .status = "", .ports = ""}),
               specs::Error);
}

TEST(Containers, AreStoppedByName) {
  const FakeEngine fake("podman", "");
  StopContainer(fake.Get(EngineKind::kPodman, "podman"),
                {.name = "imgbuild-nb", .environment = "nb", .status = "", .ports = ""});
  EXPECT_EQ(fake.told(), "stop imgbuild-nb\n");
}

TEST(ContainerNames, AreSuchAsEnginesTake) {
  EXPECT_EQ(ContainerName("notebook"), "imgbuild-notebook");
  EXPECT_EQ(ContainerName("team/note book:1"), "imgbuild-team-note-book-1");
}

}  // namespace
}  // namespace imgbuild::builder
