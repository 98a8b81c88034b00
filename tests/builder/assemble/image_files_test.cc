#include "builder/assemble/image_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/assemble/embedded.h"
#include "builder/assemble/service_table_writer.h"
#include "specs/env/canonical.h"
#include "specs/env/preset.h"

namespace imgbuild::builder {
namespace {

using layers::ContentFile;
using layers::ContentTree;
using layers::NodeType;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ImageFiles : public testing::Test {
 protected:
  ImageFiles() {
    spec_.image.name = "notebook";
    spec_.system.mirror = "http://user:hunter2@mirror.example/debian";
    spec_.python.indexes = {{.name = "internal", .url = "https://index.example/simple"}};
    spec_.python.layers = {{.name = "python", .packages = {"numpy"}}};
    lock_.python_version = "3.11.2";
    lock_.packer = "0.1.0";
    locked_.platform = *specs::Platform::Parse("linux/amd64");
    specs::LockedPackage deb;
    deb.name = "libc6";
    deb.version = "2.36-9";
    deb.architecture = "amd64";
    deb.file = "libc6_2.36-9_amd64.deb";
    deb.source = "bookworm/main";
    specs::LockedPackage wheel = deb;
    wheel.kind = specs::PackageKind::kWheel;
    wheel.name = "numpy";
    wheel.version = "2.1.0";
    wheel.source = "internal";
    locked_.packages = {deb, wheel};
    lock_.platforms = {locked_};
  }

  ContentTree Make() { return MakeImageFiles({spec_, folder_, lock_, locked_}); }
  ContentTree MakeRuntime() { return MakeRuntimeFiles({spec_, folder_, lock_, locked_}); }

  std::string folder_ = "/home/somebody/project";
  specs::Spec spec_;
  specs::Lock lock_;
  specs::LockedPlatform locked_;
};

TEST_F(ImageFiles, TellsGitWhoseTheWorkdirIs) {
  EXPECT_EQ(Make().at("etc/gitconfig").content, "[safe]\n\tdirectory = \"/work\"\n");
  spec_.image.workdir = "/a \"b\"\\c";
  EXPECT_EQ(Make().at("etc/gitconfig").content, "[safe]\n\tdirectory = \"/a \\\"b\\\"\\\\c\"\n");
}

TEST_F(ImageFiles, HasTheSupervisorOfThePlatform) {
  for (const char* name : {"linux/amd64", "linux/arm64"}) {
    locked_.platform = *specs::Platform::Parse(name);
    const ContentFile init = MakeRuntime().at("usr/lib/imgbuild/init");
    EXPECT_EQ(init.node.mode, 0755u);
    EXPECT_EQ(init.content, SupervisorProgram(locked_.platform.architecture));
    ASSERT_GT(init.content.size(), 20u);
    EXPECT_EQ(init.content.substr(0, 4), "\177ELF");
    // e_machine: EM_X86_64, EM_AARCH64 (System V gABI).
    EXPECT_EQ(static_cast<unsigned char>(init.content[18]),
              std::string_view(name) == "linux/amd64" ? 62 : 183);
  }
}

TEST_F(ImageFiles, TellsWhereTheImageCameFrom) {
  const ContentTree files = Make();
  EXPECT_EQ(files.at("etc/imgbuild/packages").content,
            "libc6 2.36-9 deb bookworm/main\nnumpy 2.1.0 wheel internal\n");
  EXPECT_EQ(files.at("etc/imgbuild/lock").content, specs::RenderLock(lock_));
  EXPECT_EQ(specs::ParseLock(files.at("etc/imgbuild/lock").content, "lock"), lock_);
  EXPECT_EQ(files.at("etc/imgbuild/spec.toml").content, specs::RenderCanonical(spec_, folder_));
  EXPECT_EQ(files.at("etc/imgbuild/services").content, RenderServiceTable(spec_));
}

TEST_F(ImageFiles, NamesNoHostSecretOrPathOfTheBuilder) {
  spec_.services = {{.name = "web", .preset = "fasthtml", .command = {"uvicorn"}}};
  spec_.files = {{.from = folder_ + "/app", .to = "/srv/app"}};
  ContentTree files = Make();
  files.merge(MakeRuntime());
  for (const auto& [path, file] : files) {
    for (const char* word : {"hunter2", "mirror.example", "index.example", "somebody"}) {
      EXPECT_THAT(file.content, Not(HasSubstr(word))) << path;
    }
    EXPECT_EQ(file.node.mtime, layers::kFixedTime) << path;
  }
}

// PEP 405; writable for the image's user and for any user of its group.
TEST_F(ImageFiles, LaysOutAVirtualEnvironmentForTheImagesUser) {
  const ContentTree files = Make();
  const std::string config = files.at("opt/venv/pyvenv.cfg").content;
  EXPECT_THAT(config, HasSubstr("home = /usr/bin\n"));
  EXPECT_THAT(config, HasSubstr("include-system-site-packages = false\n"));
  EXPECT_THAT(config, HasSubstr("version = 3.11.2\n"));
  EXPECT_EQ(files.at("opt/venv/bin/python").node.target, "python3");
  EXPECT_EQ(files.at("opt/venv/bin/python3").node.target, "/usr/bin/python3");
  EXPECT_EQ(files.at("opt/venv/lib64").node.target, "lib");
  EXPECT_TRUE(files.contains("opt/venv/lib/python3.11/site-packages"));
  for (const auto& [path, file] : files) {
    if (!path.starts_with("opt/venv")) continue;
    EXPECT_EQ(file.node.uid, 1000u) << path;
    EXPECT_EQ(file.node.gid, 0u) << path;
    if (file.node.type == NodeType::kDirectory) {
      EXPECT_EQ(file.node.mode, 0775u) << path;
    }
  }
}

TEST_F(ImageFiles, BringsThePageOnlyWhereAServiceShowsIt) {
  auto pages = [&] {
    std::vector<std::string> names;
    for (const auto& [path, file] : MakeRuntime()) {
      if (path.starts_with("usr/share/imgbuild/page/")) names.push_back(path.substr(24));
    }
    return names;
  };
  EXPECT_TRUE(pages().empty());
  spec_.services = {
      {.name = "web", .preset = "fasthtml", .command = {"uvicorn"}, .app = "main:app"}};
  EXPECT_TRUE(pages().empty());
  spec_.services = {{.name = "web", .preset = "fasthtml", .command = {"/bin/true"}}};
  EXPECT_TRUE(pages().empty());
  spec_.services = {{.name = "web",
                     .preset = "fasthtml",
                     .command = {"uvicorn", "--app-dir", std::string(specs::kPageDirectory)}}};
  EXPECT_THAT(pages(), testing::SizeIs(kPageFiles));
  EXPECT_THAT(pages(), testing::Contains("main.py"));
}

TEST_F(ImageFiles, HasWhatPresetsBringAlong) {
  const std::string path = "opt/venv/share/jupyter/lab/settings/overrides.json";
  spec_.services = {{.name = "lab", .command = {"lab"}}};
  EXPECT_FALSE(Make().contains(path));
  spec_.services[0].preset = "jupyterlab";
  const ContentTree files = Make();
  EXPECT_THAT(files.at(path).content, HasSubstr("fetchNews"));
  EXPECT_EQ(files.at(path).node.uid, 1000u);
  EXPECT_EQ(files.at("opt/venv/share/jupyter/lab/settings").node.mode, 0775u);
}

TEST_F(ImageFiles, HasAFolderForEachVolume) {
  spec_.services = {{.name = "db", .command = {"db"}, .volumes = {"/var/lib/db"}}};
  const ContentFile folder = Make().at("var/lib/db");
  EXPECT_EQ(folder.node.type, NodeType::kDirectory);
  EXPECT_EQ(folder.node.mode, 0775u);
  EXPECT_EQ(folder.node.uid, 1000u);
}

}  // namespace
}  // namespace imgbuild::builder
