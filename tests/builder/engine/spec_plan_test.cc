#include "builder/engine/spec_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/host/program.h"

namespace imgbuild::builder {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

specs::Spec Notebook() {
  specs::Spec spec;
  spec.image.name = "team/nb";
  spec.image.platforms = {specs::HostPlatform()};
  spec.services = {
      {.name = "db", .command = {"db"}, .port = 5432, .volumes = {"/var/lib/db"}},
      {.name = "lab", .command = {"lab"}, .port = 8888, .token = "JUPYTER_TOKEN"},
  };
  spec.services[0].ready.kind = specs::Probe::Kind::kTcp;
  spec.services[1].ready = {.kind = specs::Probe::Kind::kHttp, .http_path = "/api"};
  return spec;
}

TEST(SpecPlan, SaysAllThatTheSpecDecides) {
  const RunPlan plan = PlanServices(Notebook());
  EXPECT_EQ(plan.container, "imgbuild-team-nb");
  EXPECT_EQ(plan.workdir, "/work");
  EXPECT_EQ(plan.image_user, 1000u);
  EXPECT_THAT(plan.ports, ElementsAre(PublishedPort{5432, 5432}, PublishedPort{8888, 8888}));
  EXPECT_THAT(plan.volumes, ElementsAre(NamedVolume{"imgbuild-team-nb-var-lib-db", "/var/lib/db"}));
  EXPECT_TRUE(plan.supervised);
  EXPECT_THAT(plan.secrets, ElementsAre(SecretVariable{"JUPYTER_TOKEN", false}));
  EXPECT_FALSE(plan.changes_users);
  EXPECT_TRUE(plan.folder.empty());
}

// The volumes for homes of an image that starts as `image_user`, run by `caller`.
std::vector<NamedVolume> Homes(const std::string& image_user, std::uint32_t caller,
                               const std::string& service_user = "") {
  specs::Spec spec = Notebook();
  spec.image.user = image_user;
  spec.services[0].user = service_user;
  spec.services[0].volumes.clear();
  RunPlan plan = PlanServices(spec);
  plan.uid = caller;
  AddHome(plan);
  EXPECT_EQ(plan.volumes.front().path, HomeOf(plan));
  return plan.volumes;
}

const NamedVolume kRootsHome{"imgbuild-team-nb-home", "/root"};
const NamedVolume kUsersHome{"imgbuild-team-nb-home", "/home/user"};

TEST(AddHome, IsForTheContainersUser) {
  EXPECT_THAT(Homes("1000", 501), ElementsAre(kUsersHome));
  EXPECT_THAT(Homes("1000", 0), ElementsAre(kRootsHome));
  for (const char* root : {"0", "0:0", "root"}) {
    EXPECT_THAT(Homes(root, 501), ElementsAre(kRootsHome)) << root;
  }
  EXPECT_THAT(Homes("somebody", 501), ElementsAre(kUsersHome));
}

// Nobody there is this machine's root.
TEST(AddHome, IsForTheImagesUserInACluster) {
  const auto in_cluster = [](const std::string& image_user) {
    specs::Spec spec = Notebook();
    spec.image.user = image_user;
    return Homes(image_user, CallerInCluster(PlanServices(spec)));
  };
  for (const char* user : {"1000", "1234:0", "somebody", "user"}) {
    EXPECT_THAT(in_cluster(user), ElementsAre(kUsersHome)) << user;
  }
  for (const char* root : {"0", "0:0", "root"}) {
    EXPECT_THAT(in_cluster(root), ElementsAre(kRootsHome)) << root;
  }
}

TEST(AddHome, KeepsThatOfServicesWhichRootStarts) {
  const NamedVolume of_services{"imgbuild-team-nb-home-user", "/home/user"};
  for (const char* user : {"1000", "1000:0", "user"}) {
    EXPECT_THAT(Homes("0", 501, user), ElementsAre(kRootsHome, of_services)) << user;
  }
  EXPECT_THAT(Homes("1000", 0, "1000"), ElementsAre(kRootsHome, of_services));
  EXPECT_THAT(Homes("1000", 501, "1000"), ElementsAre(kUsersHome));
  EXPECT_THAT(Homes("0", 501, "postgres"), ElementsAre(kRootsHome));
}

TEST(AddHome, LeavesAVolumeOfTheSpecWhereItIs) {
  RunPlan plan{.container = "imgbuild-nb",
               .volumes = {{"own", "/home/user"}},
               .uid = 501,
               .image_user = 1000};
  AddHome(plan);
  EXPECT_THAT(plan.volumes, ElementsAre(NamedVolume{"own", "/home/user"}));
}

TEST(SpecPlan, ACommandHasNoServices) {
  const RunPlan plan = PlanCommand(Notebook());
  EXPECT_THAT(plan.ports, IsEmpty());
  EXPECT_THAT(plan.volumes, IsEmpty());
  EXPECT_FALSE(plan.supervised);
  EXPECT_TRUE(plan.container.empty());
}

TEST(SpecPlan, SecretsOfServicesAreVariables) {
  specs::Spec spec = Notebook();
  spec.services[0].secrets = {{"DB_PASSWORD", "/run/secrets/db"}, {"CERT", "/etc/db/cert"}};
  spec.services[1].secrets = {{"CERT", "/etc/db/cert"}, {"DB_PASSWORD", "/var/lib/db/password"}};
  // What lies in the image or a volume need not be given.
  EXPECT_THAT(PlanServices(spec).secrets,
              ElementsAre(SecretVariable{"CERT", false}, SecretVariable{"DB_PASSWORD", true},
                          SecretVariable{"JUPYTER_TOKEN", false}));
}

TEST(SpecPlan, ServicesWithUsersOfTheirOwn) {
  specs::Spec spec = Notebook();
  spec.services[0].user = "postgres";
  EXPECT_TRUE(PlanServices(spec).changes_users);
}

TEST(SpecPlan, TheImageHasOneNameInAllEngines) {
  specs::Spec spec = Notebook();
  spec.image.tags = {"v1", "latest"};
  EXPECT_EQ(ImageReference(spec), "localhost/team/nb:v1");
}

TEST(SpecPlan, ServicesGetTheTimeThatTheyMayTake) {
  specs::Spec spec = Notebook();
  spec.services[0].stop_timeout_ms = 2'000;
  EXPECT_EQ(PlanServices(spec).stop_seconds, 0u);
  spec.services[0].stop_timeout_ms = 60'000;
  EXPECT_EQ(PlanServices(spec).stop_seconds, 66u);
}

TEST(SpecPlan, UsersWithoutANumberAreNotMapped) {
  specs::Spec spec = Notebook();
  for (const char* user : {"somebody", "99999999999", ""}) {
    spec.image.user = user;
    EXPECT_EQ(PlanCommand(spec).image_user, std::nullopt) << user;
  }
}

TEST(SpecPlan, TheImagesUserIsKnownAsFarAsTheSpecSays) {
  specs::Spec spec = Notebook();
  spec.image.user = "33:34";
  EXPECT_EQ(PlanCommand(spec).image_user, 33u);
  EXPECT_EQ(PlanCommand(spec).image_group, 34u);
  spec.image.user = "user";
  EXPECT_EQ(PlanCommand(spec).image_user, 1000u);
  EXPECT_EQ(PlanCommand(spec).image_group, 0u);
  // Whose user it may be.
  spec.system.image = "registry.example/base:1";
  EXPECT_EQ(PlanCommand(spec).image_user, std::nullopt);
}

TEST(HealthCommand, AsksTheSupervisorWhereItRuns) {
  EXPECT_THAT(HealthCommand(PlanCommand(Notebook())), IsEmpty());
  EXPECT_THAT(HealthCommand(PlanServices(Notebook())),
              ElementsAre("/usr/lib/imgbuild/init", "health", "--ready"));
  EXPECT_THAT(HealthCommand(PlanServices(Notebook()), specs::Health::kLive).back(), "--live");
  specs::Spec other = Notebook();
  other.image.entrypoint = {"/usr/bin/tini"};
  EXPECT_THAT(HealthCommand(PlanServices(other)), IsEmpty());
}

}  // namespace
}  // namespace imgbuild::builder
