#include "builder/engine/load.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/builder/engine/fake_engine.h"
#include "tests/layers/image/image_fixture.h"

namespace imgbuild::builder {
namespace {

using testing::HasSubstr;

class LoadImageTest : public layers::ImageTest {};

constexpr const char* kReference = "localhost/team/nb:v1";

TEST_F(LoadImageTest, PodmanReadsALayoutAndNamesIt) {
  const FakeEngine fake("podman", R"(case $1 in
  pull) echo Trying; test -f localhost-team-nb-v1.oci/index.json && echo 0123abcd ;;
esac)");
  EXPECT_EQ(LoadImage(fake.Get(EngineKind::kPodman, "podman"), MakeImage("x"), kReference, store_),
            "0123abcd");
  // By a name without folders, in which podman finds fault with capital letters.
  EXPECT_THAT(fake.told(), HasSubstr("pull -q oci:localhost-team-nb-v1.oci:latest"));
  // What generated files call it.
  EXPECT_THAT(fake.told(), HasSubstr("tag 0123abcd localhost/team/nb:v1\n"));
}

TEST_F(LoadImageTest, WhatHadTheNameGoesUnlessItIsNeeded) {
  for (const char* user : {"", "c0ffee"}) {
    const FakeEngine fake("podman", fmt::format(R"(case $1 in
  images) echo sha256:0ld ;;
  pull) echo 0123abcd ;;
  image) echo 0 ;;
  ps) echo {} ;;
esac)",
                                                user));
    const Engine engine = fake.Get(EngineKind::kPodman, "podman");
    LoadImage(engine, MakeImage("x"), kReference, store_);
    EXPECT_EQ(fake.told().find("rmi 0ld\n") != std::string::npos, *user == '\0');
  }
}

TEST_F(LoadImageTest, WhatIsThereAlreadyIsNotNamedAgain) {
  const FakeEngine fake("podman", R"(case $1 in
  images) echo sha256:0123abcd ;;
  pull) echo 0123abcd ;;
  image) echo 1 ;;
esac)");
  LoadImage(fake.Get(EngineKind::kPodman, "podman"), MakeImage("x"), kReference, store_);
  EXPECT_THAT(fake.told(), testing::Not(testing::AnyOf(HasSubstr("tag "), HasSubstr("rmi"))));
}

TEST_F(LoadImageTest, OthersReadAnArchiveThatIsGoneAfterwards) {
  const FakeEngine fake("docker",
                        R"([ $1 != load ] || tar -xOf "$3" manifest.json >>"${0%/*}/told")");
  EXPECT_EQ(LoadImage(fake.Get(EngineKind::kDocker, "docker"), MakeImage("x"), kReference, store_),
            kReference);
  EXPECT_THAT(fake.told(), HasSubstr("\nload -i /"));
  EXPECT_THAT(fake.told(), HasSubstr(R"("RepoTags":["localhost/team/nb:v1"])"));
  EXPECT_TRUE(std::filesystem::is_empty(store_.paths().Temporary()));
}

TEST_F(LoadImageTest, AnEngineThatRefusesIsAnError) {
  const FakeEngine fake("podman", "exit 125");
  EXPECT_THROW(
      LoadImage(fake.Get(EngineKind::kPodman, "podman"), MakeImage("x"), kReference, store_),
      specs::Error);
}

}  // namespace
}  // namespace imgbuild::builder
