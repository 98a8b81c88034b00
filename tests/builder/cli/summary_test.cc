#include "builder/cli/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace imgbuild::builder {
namespace {

using testing::HasSubstr;
using testing::Not;

class Summary : public testing::Test {
 protected:
  Summary() {
    loaded_.spec.image.name = "notebook";
    loaded_.spec.services = {{.name = "web", .command = {"x"}, .port = 5001}};
    layers::PlatformImage platform;
    platform.config.platform = *specs::Platform::Parse("linux/amd64");
    BuiltPlatform built{.platform = platform.config.platform, .layers = {}};
    for (const char* name : {"base", "python: numpy"}) {
      platform.config.history.push_back({.created_by = std::string("imgbuild: ") + name});
      platform.manifest.layers.push_back({.digest = specs::HashOf(name), .size = 3'000'000});
      built.layers.push_back({.layer = {}, .name = name, .made = std::string(name) != "base"});
    }
    platform.descriptor.digest = specs::HashOf("manifest");
    image_.image.root.digest = specs::HashOf("manifest");
    image_.image.platforms = {platform};
    image_.platforms = {built};
  }

  BuildSummary Make() {
    return {.loaded = loaded_,
            .built = image_,
            .digest = image_.image.root.digest,
            .outputs = outputs_,
            .pushed = pushed_,
            .phases = {{"lock", 3}, {"build", 1500}},
            .lock_file = "notebook.lock",
            .resolved = resolved_,
            .notes = notes_,
            .uid = uid_,
            .gpu = gpu_};
  }
  std::string Text() { return RenderSummary(Make()); }

  // The line to paste; "" where there is none.
  std::string RunLine() {
    const std::string text = Text();
    const std::size_t at = text.find("podman run");
    return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
  }

  specs::LoadedSpec loaded_;
  BuiltImage image_;
  std::vector<Output> outputs_ = {
      {.kind = OutputKind::kOci, .path = "notebook.oci", .tags = {"latest"}}};
  std::vector<Pushed> pushed_;
  std::vector<std::string> notes_;
  bool gpu_ = false;
  bool resolved_ = false;
  std::uint32_t uid_ = 1001;
};

TEST_F(Summary, NamesImageLayersTimesAndOutputs) {
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("notebook " + specs::HashOf("manifest").Oci() + "\n"));
  EXPECT_THAT(text, HasSubstr("linux/amd64: 2 layers, "));
  EXPECT_THAT(text, testing::ContainsRegex("\n    base +3[.]0 MB  cached\n"));
  EXPECT_THAT(text, testing::ContainsRegex("python: numpy +3[.]0 MB  built\n"));
  EXPECT_THAT(text, HasSubstr("took: lock "));
  EXPECT_THAT(text, HasSubstr("wrote oci:notebook.oci:latest\n"));
  EXPECT_THAT(text, Not(HasSubstr("locked in")));
}

TEST_F(Summary, WhatWasPushedIsToldAndRunFromThere) {
  pushed_ = {{.target = ParsePushTargets({"docker://registry.example/team/app:v1",
                                          "registry.example/team/app:v2"})
                            .front(),
              .result = {.present = 1, .mounted = 2, .uploaded = 3, .bytes_sent = 4'000'000}}};
  outputs_.clear();
  const std::string text = Text();
  EXPECT_THAT(text,
              HasSubstr("pushed registry.example/team/app@" + specs::HashOf("manifest").Oci()));
  EXPECT_THAT(text, HasSubstr("  registry.example/team/app:v2\n"));
  EXPECT_THAT(text, HasSubstr("3 blobs sent, 2 mounted, 1 there before; 4.0 MB over the network"));
  EXPECT_THAT(RunLine(), HasSubstr(" registry.example/team/app:v1"));
  const auto event = nlohmann::json::parse(RenderSummaryJson(Make()));
  EXPECT_EQ(event["pushed"][0]["tags"], nlohmann::json({"v1", "v2"}));
  EXPECT_EQ(event["pushed"][0]["bytes"], 4'000'000);
}

TEST_F(Summary, SaysWhatWasResolvedAppliedAndUnchanged) {
  resolved_ = true;
  loaded_.sources.overlay = "notebook.local.toml";
  image_.unchanged = true;
  image_.platforms.clear();
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr("locked in notebook.lock\n"));
  EXPECT_THAT(text, HasSubstr("with notebook.local.toml\n"));
  EXPECT_THAT(text, HasSubstr("(unchanged)\n"));
  EXPECT_THAT(text, Not(HasSubstr("  built\n")));
}

TEST_F(Summary, TheLineToPastePublishesOnLoopbackAlone) {
  EXPECT_EQ(RunLine(),
            "podman run --rm -it -p 127.0.0.1:5001:5001 --userns keep-id:uid=1000,gid=1000 "
            "-v \"$PWD\":/work oci:notebook.oci:latest");
}

TEST_F(Summary, TheLineToPasteMapsTheImagesUser) {
  uid_ = 0;
  EXPECT_THAT(RunLine(), HasSubstr(" --user 0:0 "));
  uid_ = 1001;
  loaded_.spec.image.user = "2345:0";
  EXPECT_THAT(RunLine(), HasSubstr(" --userns keep-id:uid=2345,gid=2345 "));
  for (const char* user : {"0", "0:0", "somebody"}) {
    loaded_.spec.image.user = user;
    EXPECT_THAT(RunLine(), Not(HasSubstr("--user"))) << user;
  }
}

TEST_F(Summary, NotesAreTheUsersToRead) {
  notes_ = {"CUDA 13.0 (toolkit) is on (30 packages)", "CUDA is left out"};
  EXPECT_THAT(Text(), HasSubstr("\n  CUDA 13.0 (toolkit) is on (30 packages)\n"
                                "  CUDA is left out\n"));
  EXPECT_EQ(nlohmann::json::parse(RenderSummaryJson(Make()))["notes"], nlohmann::json(notes_));
}

TEST_F(Summary, TheLineToPasteHasTheGpuWhereThereIsOne) {
  loaded_.spec.image.platforms = {*specs::Platform::Parse("linux/amd64")};
  gpu_ = true;
  EXPECT_THAT(RunLine(), Not(HasSubstr("nvidia")));
  image_.image.platforms[0].config.labels["imgbuild.cuda.driver"] = "cuda>=13.0";
  EXPECT_THAT(RunLine(), HasSubstr(" --device nvidia.com/gpu=all "));
  gpu_ = false;
  EXPECT_THAT(RunLine(), Not(HasSubstr("nvidia")));
  EXPECT_THAT(Text(), HasSubstr("Run it (where there is a GPU, with --device nvidia.com/gpu=all)"));
}

TEST_F(Summary, TheLineToPasteIsSafeInAShell) {
  outputs_[0].path = "it's $(here) now.oci";
  loaded_.spec.image.workdir = "/my work";
  EXPECT_THAT(RunLine(), testing::EndsWith(" -v \"$PWD\":'/my work' "
                                           "'oci:it'\\''s $(here) now.oci:latest'"));
}

TEST_F(Summary, SkipsOutputsThatPodmanDoesNotRun) {
  outputs_[0].kind = OutputKind::kDockerArchive;
  EXPECT_EQ(RunLine(), "");
  outputs_.push_back({.kind = OutputKind::kOciArchive, .path = "x.tar", .tags = {"latest"}});
  EXPECT_THAT(RunLine(), testing::EndsWith(" oci-archive:x.tar"));
}

TEST_F(Summary, JsonIsOneRecord) {
  const std::string text = RenderSummaryJson(Make());
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const auto json = nlohmann::json::parse(text);
  EXPECT_EQ(json["event"], "built");
  EXPECT_EQ(json["image"], "notebook");
  EXPECT_EQ(json["digest"], specs::HashOf("manifest").Oci());
  EXPECT_EQ(json["unchanged"], false);
  EXPECT_EQ(json["outputs"], (std::vector<std::string>{"oci:notebook.oci:latest"}));
  EXPECT_EQ(json["milliseconds"]["build"], 1500);
  const auto& layers = json["platforms"][0]["layers"];
  EXPECT_EQ(layers[0]["name"], "base");
  EXPECT_EQ(layers[0]["cached"], true);
  EXPECT_EQ(layers[1]["name"], "python: numpy");
  EXPECT_EQ(layers[1]["cached"], false);
  EXPECT_EQ(layers[1]["size"], 3'000'000);
}

}  // namespace
}  // namespace imgbuild::builder
