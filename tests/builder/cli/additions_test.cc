#include "builder/cli/additions.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/builder/engine/fake_engine.h"

namespace imgbuild::builder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(AddedPackages, AreWhatTheContainerSays) {
  const FakeEngine fake("podman", "printf 'tqdm==4.66\\nrich==13.7.1\\n'");
  EXPECT_THAT(AddedPackages(fake.Get(EngineKind::kPodman, "podman"), "imgbuild-nb"),
              ElementsAre("rich==13.7.1", "tqdm==4.66"));
  EXPECT_TRUE(fake.told().starts_with("exec imgbuild-nb python3 -c "));
  const FakeEngine none("podman", "echo no such program; exit 127");
  EXPECT_THAT(AddedPackages(none.Get(EngineKind::kPodman, "podman"), "imgbuild-nb"), IsEmpty());
}

TEST(AddedPackages, AreToldWithWhatKeepsThem) {
  EXPECT_EQ(RenderAdded({"rich==13.7.1", "tqdm==4.66"}, " --spec nb.toml"),
            "Installed while it ran, and gone with it: rich==13.7.1, tqdm==4.66\n"
            "To keep them: imgbuild add rich tqdm --spec nb.toml");
}

TEST(SpecOption, NamesTheSpecFromHere) {
  const std::string here = std::filesystem::current_path().string();
  EXPECT_EQ(SpecOption(""), "");
  EXPECT_EQ(SpecOption(here + "/spec.toml"), "");
  EXPECT_EQ(SpecOption(here + "/envs/nb.toml"), " --spec envs/nb.toml");
  EXPECT_EQ(SpecOption("/srv/nb.toml"), " --spec /srv/nb.toml");
}

}  // namespace
}  // namespace imgbuild::builder
