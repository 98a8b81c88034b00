#include "builder/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/builder/engine/fake_engine.h"

namespace imgbuild::builder {
namespace {

TEST(FindEngine, TakesTheFirstThatIsThere) {
  const FakeEngine docker("docker", "");
  const FakeEngine podman("podman", "");
  const std::string both = docker.folder().string() + ":" + podman.folder().string();
  EXPECT_EQ(FindEngine(Environment::Of({{"PATH", both}}), 1000),
            (Engine{EngineKind::kPodman, "podman", false}));
  EXPECT_EQ(FindEngine(Environment::Of({{"PATH", docker.folder().string()}}), 0),
            (Engine{EngineKind::kDocker, "docker", true}));
}

TEST(FindEngine, TheVariableChooses) {
  EXPECT_EQ(FindEngine(Environment::Of({{"IMGBUILD_ENGINE", "/opt/bin/nerdctl"}}), 1000),
            (Engine{EngineKind::kNerdctl, "/opt/bin/nerdctl", false}));
  EXPECT_THROW(FindEngine(Environment::Of({{"IMGBUILD_ENGINE", "lxc"}}), 1000), specs::Error);
}

TEST(CallerOf, IsRootWhereTheDaemonIsTheUsersOwn) {
  const FakeEngine own("docker", "echo '[name=seccomp,profile=builtin name=rootless]'");
  EXPECT_EQ(CallerOf(own.Get(EngineKind::kDocker, "docker"), 501), 0u);
  const FakeEngine shared("docker", "echo '[name=seccomp,profile=builtin]'");
  EXPECT_EQ(CallerOf(shared.Get(EngineKind::kDocker, "docker"), 501), 501u);
  EXPECT_THAT(shared.told(), testing::HasSubstr("info --format {{.SecurityOptions}}"));
  EXPECT_EQ(CallerOf({EngineKind::kNerdctl, "nerdctl", false}, 501), 0u);
  EXPECT_EQ(CallerOf({EngineKind::kPodman, "podman", false}, 501), 501u);
}

TEST(RemovesDetached, AllButNerdctl) {
  EXPECT_TRUE(RemovesDetached({EngineKind::kPodman, "podman", false}));
  EXPECT_TRUE(RemovesDetached({EngineKind::kDocker, "docker", false}));
  EXPECT_FALSE(RemovesDetached({EngineKind::kNerdctl, "nerdctl", false}));
}

TEST(FindEngine, NoneIsAnError) {
  EXPECT_THROW(FindEngine(Environment::Of({{"PATH", "/nonexistent"}}), 1000), specs::Error);
}

}  // namespace
}  // namespace imgbuild::builder
