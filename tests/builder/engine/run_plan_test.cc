#include "builder/engine/run_plan.h"

#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

const Engine kPodman{EngineKind::kPodman, "podman", false};
const Engine kDocker{EngineKind::kDocker, "docker", false};
const Engine kNerdctl{EngineKind::kNerdctl, "nerdctl", false};

RunPlan Plan() {
  return {.image = "image",
          .folder = "/data/my project",
          .workdir = "/work",
          .uid = 501,
          .image_user = 1000};
}

std::string Line(const Engine& engine, const RunPlan& plan) {
  return specs::Join(RunArguments(engine, plan), " ");
}

TEST(RunArguments, TheFolderBelongsToTheImagesUser) {
  EXPECT_EQ(Line(kPodman, Plan()),
            "podman run --rm --userns keep-id:uid=1000,gid=1000 -v /data/my project:/work image");
  EXPECT_EQ(Line(kDocker, Plan()), "docker run --rm --user 501:0 -v /data/my project:/work image");
  // A daemon of the user's own: who runs this is root inside.
  RunPlan own = Plan();
  own.uid = 0;
  EXPECT_EQ(Line(kDocker, own), "docker run --rm --user 0:0 -v /data/my project:/work image");
  RunPlan asks_for_root = Plan();
  asks_for_root.image_user = 0;
  for (const Engine& engine : {kPodman, kDocker}) {
    EXPECT_EQ(Line(engine, asks_for_root),
              engine.program + " run --rm -v /data/my project:/work image");
  }
  RunPlan root = Plan();
  root.uid = 0;
  EXPECT_EQ(Line(kPodman, root), "podman run --rm --user 0:0 -v /data/my project:/work image");
  RunPlan named = Plan();
  named.image_user.reset();
  EXPECT_EQ(Line(kPodman, named), "podman run --rm -v /data/my project:/work image");
}

TEST(RunArguments, WithoutAFolderNobodyIsMapped) {
  RunPlan plan = Plan();
  plan.folder.clear();
  EXPECT_EQ(Line(kPodman, plan), "podman run --rm image");
}

TEST(RunArguments, AFolderThatNoEngineMountsIsAnError) {
  RunPlan plan = Plan();
  plan.folder = "/data/12:30";
  EXPECT_THROW(RunArguments(kPodman, plan), specs::Error);
}

TEST(RunArguments, MovedPortsAreToldInside) {
  RunPlan plan = Plan();
  plan.folder.clear();
  plan.ports = {{8888, 8888}, {5001, 49152}};
  EXPECT_EQ(Line(kPodman, plan),
            "podman run --rm -p 127.0.0.1:8888:8888 -p 127.0.0.1:49152:5001 "
            "-e IMGBUILD_PORT_5001=49152 image");
}

TEST(RunArguments, WhatUpStartsCanBeFound) {
  RunPlan plan{.image = "image", .container = "imgbuild-nb", .environment = "nb"};
  plan.detached = true;
  plan.volumes = {{"imgbuild-nb-home", "/home/user"}};
  EXPECT_EQ(Line(kDocker, plan),
            "docker run --rm -d --name imgbuild-nb --label imgbuild.environment=nb "
            "-v imgbuild-nb-home:/home/user image");
  plan.spec = "/srv/spec.toml";
  EXPECT_NE(Line(kDocker, plan).find("--label imgbuild.spec=/srv/spec.toml"), std::string::npos);
}

// It takes no --rm in the background.
TEST(RunArguments, NerdctlRemovesInTheForegroundAlone) {
  RunPlan plan{.image = "image", .interactive = true};
  EXPECT_EQ(Line(kNerdctl, plan), "nerdctl run --rm -it image");
  plan.detached = true;
  EXPECT_EQ(Line(kNerdctl, plan), "nerdctl run -d image");
}

TEST(RunArguments, VariablesAreNamedAndNeverShown) {
  RunPlan plan{.image = "image", .variables = {"JUPYTER_TOKEN", "https_proxy"}};
  EXPECT_EQ(Line(kPodman, plan), "podman run --rm -e JUPYTER_TOKEN -e https_proxy image");
}

TEST(RunArguments, GpusInEachEnginesWay) {
  RunPlan plan{.image = "image", .gpu = true, .interactive = true, .command = {"nvidia-smi", "-L"}};
  EXPECT_EQ(Line(kPodman, plan),
            "podman run --rm -it --device nvidia.com/gpu=all image nvidia-smi -L");
  EXPECT_EQ(Line(kDocker, plan), "docker run --rm -it --gpus all image nvidia-smi -L");
}

// A pipe is read as a terminal is; services read nothing.
TEST(RunArguments, StandardInputIsTheCommands) {
  RunPlan plan{.image = "image", .input = true, .command = {"cat"}};
  EXPECT_EQ(Line(kPodman, plan), "podman run --rm -i image cat");
  plan.interactive = true;
  EXPECT_EQ(Line(kPodman, plan), "podman run --rm -it image cat");
  plan.detached = true;
  EXPECT_EQ(Line(kPodman, plan), "podman run --rm -d image cat");
}

// podman keeps no check of an OCI image, and without systemd nobody runs its timers.
TEST(RunArguments, PodmanIsToldHowServicesAreAsked) {
  RunPlan plan{.image = "image", .supervised = true};
  const std::string command =
      "podman run --rm --health-cmd [\"/usr/lib/imgbuild/init\",\"health\",\"--ready\"] ";
  EXPECT_EQ(Line(kPodman, plan), command +
                                     "--health-interval disable --health-timeout 10s "
                                     "--health-start-period 30s image");
  plan.health_timer = true;
  EXPECT_EQ(Line(kPodman, plan),
            command + "--health-interval 30s --health-timeout 10s --health-start-period 30s image");
  EXPECT_EQ(Line(kDocker, plan), "docker run --rm image");
}

TEST(RunArguments, SelinuxLabels) {
  RunPlan plan = Plan();
  plan.image_user.reset();
  plan.label = FolderLabel::kRelabel;
  EXPECT_EQ(Line(kPodman, plan), "podman run --rm -v /data/my project:/work:z image");
  plan.label = FolderLabel::kDisable;
  EXPECT_EQ(Line(kPodman, plan),
            "podman run --rm -v /data/my project:/work --security-opt label=disable image");
}

}  // namespace
}  // namespace imgbuild::builder
