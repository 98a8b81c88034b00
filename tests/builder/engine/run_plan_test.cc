#include "builder/engine/run_plan.h"

#include <gtest/gtest.h>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

const Engine kPodman{EngineKind::kPodman, "podman", false};
const Engine kDocker{EngineKind::kDocker, "docker", false};

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
