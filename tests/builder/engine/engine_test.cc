#include "builder/engine/engine.h"

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

TEST(FindEngine, NoneIsAnError) {
  EXPECT_THROW(FindEngine(Environment::Of({{"PATH", "/nonexistent"}}), 1000), specs::Error);
}

}  // namespace
}  // namespace imgbuild::builder
