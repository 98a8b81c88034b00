#include "builder/engine/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/builder/engine/fake_engine.h"
#include "tests/layers/image/image_fixture.h"

namespace imgbuild::builder {
namespace {

using testing::HasSubstr;

class LoadImageTest : public layers::ImageTest {};

TEST_F(LoadImageTest, PodmanReadsALayout) {
  const FakeEngine fake("podman", "echo 'Trying'; test -f nb.oci/index.json && echo 0123abcd");
  EXPECT_EQ(LoadImage(fake.Get(EngineKind::kPodman, "podman"), MakeImage("x"), "nb", store_),
            "0123abcd");
  // By a name without folders, in which podman finds fault with capital letters.
  EXPECT_THAT(fake.told(), HasSubstr("pull -q oci:nb.oci:latest"));
  EXPECT_TRUE(std::filesystem::exists(store_.IndexDirectory("engine") / "nb.oci/index.json"));
}

TEST_F(LoadImageTest, OthersReadAnArchiveThatIsGoneAfterwards) {
  const FakeEngine fake("docker", "tar -tf \"$3\" >/dev/null");
  EXPECT_EQ(LoadImage(fake.Get(EngineKind::kDocker, "docker"), MakeImage("x"), "nb", store_),
            "localhost/imgbuild/nb:latest");
  EXPECT_THAT(fake.told(), testing::StartsWith("load -i /"));
  EXPECT_TRUE(std::filesystem::is_empty(store_.paths().Temporary()));
}

TEST_F(LoadImageTest, AnEngineThatRefusesIsAnError) {
  const FakeEngine fake("podman", "exit 125");
  EXPECT_THROW(LoadImage(fake.Get(EngineKind::kPodman, "podman"), MakeImage("x"), "nb", store_),
               specs::Error);
}

}  // namespace
}  // namespace imgbuild::builder
