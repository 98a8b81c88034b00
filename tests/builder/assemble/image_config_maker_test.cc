#include "builder/assemble/image_config_maker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

using testing::ElementsAre;
using testing::Pair;

const specs::Platform kPlatform = *specs::Platform::Parse("linux/arm64");

specs::Lock LockOf(std::vector<std::string> dates) {
  specs::Lock lock;
  for (std::string& date : dates) lock.suites.push_back({"suite", std::move(date), {}});
  return lock;
}

TEST(MakeImageConfig, IsDatedByTheNewestRelease) {
  const specs::Lock lock =
      LockOf({"2026-07-11T10:16:37Z", "2026-11-01T20:00:00Z", "2026-10-31T23:59:59Z"});
  EXPECT_EQ(MakeImageConfig({}, lock, kPlatform).created, "2026-11-01T20:00:00Z");
}

TEST(MakeImageConfig, StartsTheSupervisorWhereTheSpecNamesNothingElse) {
  specs::Spec spec;
  EXPECT_THAT(MakeImageConfig(spec, LockOf({}), kPlatform).entrypoint,
              ElementsAre("/usr/lib/imgbuild/init"));
  EXPECT_TRUE(MakeImageConfig(spec, LockOf({}), kPlatform).command.empty());
  spec.image.entrypoint = {"/usr/bin/env"};
  spec.image.command = {"bash", "-l"};
  const specs::ImageConfig config = MakeImageConfig(spec, LockOf({}), kPlatform);
  EXPECT_THAT(config.entrypoint, ElementsAre("/usr/bin/env"));
  EXPECT_THAT(config.command, ElementsAre("bash", "-l"));
}

TEST(MakeImageConfig, AsksTheSupervisorHowServicesAre) {
  specs::Spec spec;
  EXPECT_FALSE(MakeImageConfig(spec, LockOf({}), kPlatform).health);
  spec.services = {{.name = "web", .command = {"web"}}};
  const specs::ImageConfig config = MakeImageConfig(spec, LockOf({}), kPlatform);
  ASSERT_TRUE(config.health);
  EXPECT_THAT(config.health->command, ElementsAre("/usr/lib/imgbuild/init", "health", "--ready"));
  spec.image.command = {"--with-services", "bash"};
  EXPECT_TRUE(MakeImageConfig(spec, LockOf({}), kPlatform).health);
  spec.image.command = {"bash"};
  EXPECT_FALSE(MakeImageConfig(spec, LockOf({}), kPlatform).health);
  spec.image.command.clear();
  spec.image.entrypoint = {"/usr/bin/env"};
  EXPECT_FALSE(MakeImageConfig(spec, LockOf({}), kPlatform).health);
}

TEST(MakeImageConfig, PutsTheVirtualEnvironmentFirstAndTheSpecOverAll) {
  specs::Spec spec;
  spec.image.env = {{"LANG", "de_DE.UTF-8"}, {"TZ", "UTC"}, {"A", "b=c"}};
  const auto env = MakeImageConfig(spec, LockOf({}), kPlatform).env;
  EXPECT_THAT(env, ElementsAre(Pair("A", "b=c"), Pair("LANG", "de_DE.UTF-8"),
                               Pair("PATH", testing::StartsWith("/opt/venv/bin:/usr/local/sbin:")),
                               Pair("TZ", "UTC"), Pair("VIRTUAL_ENV", "/opt/venv")));
}

TEST(MakeImageConfig, TellsWhereCudaIsOnItsPlatformOnly) {
  specs::Spec spec;
  spec.cuda = {.enabled = true, .version = "13.0.2", .components = {"toolkit"}};
  const specs::Platform amd64 = *specs::Platform::Parse("linux/amd64");
  EXPECT_THAT(MakeImageConfig(spec, LockOf({}), amd64).env,
              testing::IsSupersetOf(
                  {Pair("CUDA_HOME", "/usr/local/cuda"), Pair("NVIDIA_VISIBLE_DEVICES", "all"),
                   Pair("NVIDIA_DRIVER_CAPABILITIES", "compute,utility"),
                   Pair("NVIDIA_REQUIRE_CUDA", "cuda>=13.0"),
                   Pair("PATH",
                        "/opt/venv/bin:/usr/local/cuda/bin:/usr/local/sbin:/usr/local/bin:"
                        "/usr/sbin:/usr/bin:/sbin:/bin")}));
  specs::Spec debian = spec;
  debian.cuda.provider = "debian";
  EXPECT_THAT(MakeImageConfig(debian, LockOf({}), amd64).env,
              testing::Contains(Pair("NVCC_PREPEND_FLAGS", "-ccbin=/usr/bin/cuda-g++")));
  const auto plain = MakeImageConfig({}, LockOf({}), amd64).env;
  EXPECT_EQ(MakeImageConfig(spec, LockOf({}), kPlatform).env, plain);
  spec.cuda.enabled = false;
  EXPECT_EQ(MakeImageConfig(spec, LockOf({}), amd64).env, plain);
}

TEST(AddCudaLabels, SayWhatTheHostMustHave) {
  specs::Spec spec;
  spec.cuda = {.enabled = true, .version = "13.0.2", .components = {"toolkit"}};
  specs::LockedPlatform locked{.platform = *specs::Platform::Parse("linux/amd64")};
  specs::ImageConfig config;
  locked.packages = {
      {.kind = specs::PackageKind::kWheel, .name = "nvidia-cuda-runtime", .version = "13.0.96"}};
  AddCudaLabels(spec, locked, {.every = {"sm_75", "compute_120"}, .some = {"sm_50"}}, nullptr,
                config);
  EXPECT_THAT(config.labels, ElementsAre(Pair("imgbuild.cuda.code", "sm_75 compute_120"),
                                         Pair("imgbuild.cuda.code-in-some", "sm_50"),
                                         Pair("imgbuild.cuda.driver", "cuda>=13.0"),
                                         Pair("imgbuild.cuda.version", "13.0.2")));
  spec.cuda.provider = "debian";
  AddCudaLabels(spec, locked, {}, nullptr, config);
  EXPECT_THAT(config.labels["imgbuild.cuda.licence"], testing::HasSubstr("not free"));
  spec.cuda.enabled = false;
  config.labels.clear();
  AddCudaLabels(spec, {.platform = locked.platform}, {}, nullptr, config);
  EXPECT_TRUE(config.labels.empty());
}

TEST(AddCudaLabels, TheBaseMayHaveIt) {
  const specs::LockedPlatform locked{.platform = *specs::Platform::Parse("linux/amd64")};
  const auto driver_of = [&](std::vector<std::string> env) {
    layers::BaseImage base;
    base.config.env = std::move(env);
    specs::ImageConfig config;
    config.env = {{"CUDA_VERSION", "11.8.0"}};  // the user's own says nothing of what there is
    AddCudaLabels({}, locked, {}, &base, config);
    return config.labels["imgbuild.cuda.driver"];
  };
  const std::string required =
      "NVIDIA_REQUIRE_CUDA=brand=x cuda>=12.4,driver>=550 brand=tesla,driver>=470";
  EXPECT_EQ(driver_of({"CUDA_VERSION=12.6.1", required}), "cuda>=12.4");
  EXPECT_EQ(driver_of({"CUDA_VERSION=12.6.1"}), "cuda>=12.6");
  EXPECT_EQ(driver_of({"CUDA_VERSION=12"}), "");
  EXPECT_EQ(driver_of({}), "");
}

TEST(MakeImageConfig, TakesUserWorkdirLabelsAndPorts) {
  specs::Spec spec;
  spec.image.name = "team/notebook";
  spec.image.user = "1234:0";
  spec.image.workdir = "/home/me";
  spec.image.labels = {{"a", "b"}};
  spec.services = {{.name = "b", .command = {"x"}, .port = 8888},
                   {.name = "a", .command = {"x"}, .port = 80},
                   {.name = "c", .command = {"x"}}};
  const specs::ImageConfig config = MakeImageConfig(spec, LockOf({}), kPlatform);
  EXPECT_EQ(config.platform, kPlatform);
  EXPECT_EQ(config.user, "1234:0");
  EXPECT_EQ(config.workdir, "/home/me");
  EXPECT_THAT(config.exposed_ports, ElementsAre(80u, 8888u));
  EXPECT_THAT(config.labels,
              ElementsAre(Pair("a", "b"), Pair("org.opencontainers.image.title", "team/notebook")));
  EXPECT_TRUE(config.diff_ids.empty());
}

TEST(MakeImageConfig, KeepsATitleOfTheSpecs) {
  specs::Spec spec;
  spec.image.name = "notebook";
  spec.image.labels = {{"org.opencontainers.image.title", "My notebook"}};
  EXPECT_EQ(
      MakeImageConfig(spec, LockOf({}), kPlatform).labels.at("org.opencontainers.image.title"),
      "My notebook");
}

}  // namespace
}  // namespace imgbuild::builder
