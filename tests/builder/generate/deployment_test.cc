#include "builder/generate/deployment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace imgbuild::builder {
namespace {

using testing::HasSubstr;
using testing::Not;

class Deployments : public testing::Test {
 protected:
  Deployments() {
    RunPlan& plan = deployment_.plan;
    plan.image = "localhost/nb:latest";
    plan.container = "imgbuild-nb";
    plan.environment = "nb";
    plan.ports = {{5001, 5001}, {8888, 8888}};
    plan.folder = "/data/my project";
    plan.workdir = "/work";
    plan.volumes = {{"imgbuild-nb-home", "/home/user"}, {"imgbuild-nb-db", "/var/lib/db"}};
    plan.uid = 501;
    plan.image_user = 1000;
    plan.secrets = {{"API_KEY", true}, {"JUPYTER_TOKEN", false}};
    plan.supervised = true;
    plan.stop_seconds = 21;
  }

  Deployment deployment_{
      .engine = {EngineKind::kPodman, "podman", false}, .plan = {}, .spec = "spec.toml"};
};

// Where a file and the command line of `up` say the same, they do so in the same words.
TEST_F(Deployments, SayWhatUpDoes) {
  const std::string quadlet = RenderQuadlet(deployment_);
  const std::string compose = RenderCompose(deployment_);
  const std::vector<std::string> up = RunArguments(deployment_.engine, deployment_.plan);
  for (std::size_t i = 0; i + 1 < up.size(); ++i) {
    if (up[i] != "-p" && up[i] != "-v" && up[i] != "--userns") continue;
    EXPECT_THAT(quadlet, HasSubstr("=" + up[i + 1] + "\n"));
    EXPECT_THAT(compose, HasSubstr("\"" + up[i + 1] + "\""));
  }
}

TEST_F(Deployments, QuadletIsAUnit) {
  const std::string unit = RenderQuadlet(deployment_);
  for (const char* line :
       {"\n[Container]\n", "\nImage=localhost/nb:latest\n", "\nContainerName=imgbuild-nb\n",
        "\nLabel=imgbuild.environment=nb\n", "\nUserNS=keep-id:uid=1000,gid=1000\n",
        "\nVolume=/data/my project:/work\n", "\nPodmanArgs=--stop-timeout=21\n",
        "\nTimeoutStopSec=31\n", "\nRestart=on-failure\n", "\nWantedBy=default.target\n",
        "\n# Secret=imgbuild-nb-JUPYTER_TOKEN,type=env,target=JUPYTER_TOKEN\n",
        "\nSecret=imgbuild-nb-API_KEY,type=env,target=API_KEY\n",
        "\nHealthCmd=[\"/usr/lib/imgbuild/init\",\"health\",\"--ready\"]\n"}) {
    EXPECT_THAT(unit, HasSubstr(line));
  }
  deployment_.plan.folder = "/100%/x\n[Service]";
  deployment_.plan.uid = 0;
  deployment_.plan.gpu = true;
  deployment_.plan.label = FolderLabel::kDisable;
  const std::string other = RenderQuadlet(deployment_);
  EXPECT_THAT(other, HasSubstr("\nVolume=/100%%/x [Service]:/work\n"));
  EXPECT_THAT(other, HasSubstr("\nUser=0\nGroup=0\n"));
  EXPECT_THAT(other, HasSubstr("\nAddDevice=nvidia.com/gpu=all\n"));
  EXPECT_THAT(other, HasSubstr("\nSecurityLabelDisable=true\n"));
}

TEST_F(Deployments, ComposeKeepsTheNamesOfVolumes) {
  deployment_.plan.folder = ".";
  const std::string text = RenderCompose(deployment_);
  EXPECT_THAT(text, HasSubstr("services:\n  imgbuild-nb:\n    image: \"localhost/nb:latest\"\n"));
  EXPECT_THAT(text, HasSubstr("volumes:\n  imgbuild-nb-home:\n    name: imgbuild-nb-home\n"));
  EXPECT_THAT(text, HasSubstr("      JUPYTER_TOKEN: null\n"));
  EXPECT_THAT(text, HasSubstr("      API_KEY: \"${API_KEY:?"));
  EXPECT_THAT(text, HasSubstr("    stop_grace_period: \"21s\"\n"));
  deployment_.plan.folder = "/a$b";
  EXPECT_THAT(RenderCompose(deployment_), HasSubstr("\"/a$$b:/work\""));
  deployment_.engine.kind = EngineKind::kDocker;
  EXPECT_THAT(RenderCompose(deployment_), HasSubstr("user: \"501:0\""));
}

TEST_F(Deployments, KubernetesHasNoFolderOfTheHost) {
  const std::string text = RenderKubernetes(deployment_);
  EXPECT_THAT(text, Not(HasSubstr("my project")));
  for (const char* claim : {"imgbuild-nb-work", "imgbuild-nb-home", "imgbuild-nb-db"}) {
    EXPECT_THAT(text, HasSubstr(std::string("  name: ") + claim + "\n"));
  }
  EXPECT_THAT(text, HasSubstr("kind: Deployment\n"));
  EXPECT_THAT(text, HasSubstr("      securityContext:\n"
                              "        runAsUser: 1000\n"
                              "        runAsGroup: 0\n"
                              "        runAsNonRoot: true\n"
                              "        fsGroup: 0\n"));
  EXPECT_THAT(text, HasSubstr("      terminationGracePeriodSeconds: 21\n"));
  EXPECT_THAT(text, HasSubstr("key: JUPYTER_TOKEN\n                  optional: true\n"));
  EXPECT_THAT(text, HasSubstr("key: API_KEY\n                  optional: false\n"));
  EXPECT_THAT(text, HasSubstr("kind: Service\n"));
}

// Whoever it is can write to volumes.
TEST_F(Deployments, KubernetesPutsEveryUserIntoTheGroupOfVolumes) {
  deployment_.plan.image_user.reset();
  const std::string named = RenderKubernetes(deployment_);
  EXPECT_THAT(named, HasSubstr("      securityContext:\n        fsGroup: 0\n"));
  EXPECT_THAT(named, Not(HasSubstr("runAs")));
  deployment_.plan.image_user = 0;
  EXPECT_THAT(RenderKubernetes(deployment_), Not(HasSubstr("runAsNonRoot")));
  deployment_.plan.image_user = 33;
  deployment_.plan.image_group = 34;
  EXPECT_THAT(RenderKubernetes(deployment_), HasSubstr("runAsUser: 33\n        runAsGroup: 34\n"));
}

// The supervisor becomes the users of its services.
TEST_F(Deployments, KubernetesLeavesTheRightsThatUsersOfServicesTake) {
  EXPECT_THAT(RenderKubernetes(deployment_), Not(HasSubstr("add:")));
  deployment_.plan.changes_users = true;
  EXPECT_THAT(RenderKubernetes(deployment_),
              HasSubstr("drop: [\"ALL\"]\n"
                        "              add: [\"CHOWN\", \"KILL\", \"SETGID\", \"SETUID\"]\n"));
}

TEST_F(Deployments, NamesAreSuchAsKubernetesTakes) {
  deployment_.plan.container = "imgbuild-Team_nb..x-";
  EXPECT_EQ(DeploymentName(deployment_), "imgbuild-team-nb-x");
  deployment_.plan.volumes = {{"imgbuild-Team_nb-home", "/home/user"}};
  EXPECT_THAT(RenderKubernetes(deployment_), HasSubstr("  name: imgbuild-team-nb-home\n"));
  deployment_.plan.container = "imgbuild-" + std::string(90, 'a');
  EXPECT_EQ(DeploymentName(deployment_).size(), 63u);
}

TEST_F(Deployments, DevcontainerIsJsonWithAComment) {
  const std::string text = RenderDevcontainer(deployment_);
  EXPECT_TRUE(text.starts_with("// Made by: imgbuild generate devcontainer spec.toml\n"));
  const auto json = nlohmann::json::parse(text, nullptr, true, true);
  EXPECT_EQ(json["image"], "localhost/nb:latest");
  EXPECT_EQ(json["workspaceFolder"], "/work");
  EXPECT_EQ(json["workspaceMount"], "source=${localWorkspaceFolder},target=/work,type=bind");
  EXPECT_EQ(json["mounts"][0], "source=imgbuild-nb-home,target=/home/user,type=volume");
  EXPECT_EQ(json["forwardPorts"], nlohmann::json({5001, 8888}));
  EXPECT_EQ(json["overrideCommand"], false);
  EXPECT_EQ(json["runArgs"][1], "--userns=keep-id:uid=1000,gid=1000");
  EXPECT_EQ(json["runArgs"].back(),
            R"(--health-cmd=["/usr/lib/imgbuild/init","health","--ready"])");
  EXPECT_EQ(json["containerEnv"]["API_KEY"], "${localEnv:API_KEY}");
}

}  // namespace
}  // namespace imgbuild::builder
