#include "builder/assemble/state_stage.h"

#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/env/cuda.h"
#include "tests/builder/state/fixture.h"

namespace imgbuild::builder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

class StateStageTest : public testing::Test {
 protected:
  StateStageTest() {
    loaded_.spec.cuda = {.enabled = true, .version = "13.0", .components = {"toolkit"}};
    Add(FakeDeb("base-passwd")
            .File("usr/share/base-passwd/passwd.master", "root:*:0:0:root:/root:/bin/bash\n")
            .File("usr/share/base-passwd/group.master", "root:*:0:\nshadow:*:42:\n"));
    Add(FakeDeb("libc-bin").File("usr/share/libc-bin/nsswitch.conf", "hosts: files dns\n"));
    Add(FakeDeb("libc6").Library("usr/lib/x86_64-linux-gnu/libc.so.6", "libc.so.6"));
  }

  void Add(const FakeDeb& deb, std::string_view only_with = "") {
    specs::LockedPackage& locked = locked_.emplace_back();
    locked.kind = specs::PackageKind::kDeb;
    locked.name = deb.facts().name;
    locked.only_with = only_with;
    packages_.push_back({.locked = &locked, .facts = deb.facts()});
  }

  // As with a lock's packages in force.
  StateStage Make(bool enabled) {
    loaded_.spec.cuda.enabled = enabled;
    std::vector<ReadyPackage> packages = packages_;
    if (!enabled) {
      std::erase_if(packages, [](const ReadyPackage& p) { return !p.locked->only_with.empty(); });
    }
    return MakeState({.loaded = loaded_, .lock = lock_}, {specs::Architecture::kAmd64}, packages,
                     {}, nullptr);
  }

  static std::vector<std::string> Paths(const layers::ContentTree& tree) {
    std::vector<std::string> paths;
    for (const auto& [path, file] : tree) paths.push_back(path);
    return paths;
  }

  specs::LoadedSpec loaded_;
  specs::Lock lock_;
  std::deque<specs::LockedPackage> locked_;
  std::vector<ReadyPackage> packages_;
};

TEST_F(StateStageTest, TheSwitchOfCudaLeavesTheSystemsStateAsItIs) {
  Add(FakeDeb("dpkg"));
  Add(FakeDeb("g++")
          .File("usr/bin/g++")
          .Library("usr/lib/libcc1.so.0", "libcc1.so.0")
          .Control("postinst",
                   "#!/bin/sh\nupdate-alternatives --install /usr/bin/c++ c++ /usr/bin/g++ 20\n"),
      specs::kCudaRoot);
  const StateStage off = Make(false);
  const StateStage on = Make(true);
  EXPECT_EQ(on.system, off.system);
  EXPECT_THAT(Paths(off.state), ElementsAre("etc/ld.so.cache"));
  EXPECT_THAT(Paths(on.state), IsSupersetOf({"etc/alternatives/c++", "etc/ld.so.cache",
                                             "usr/bin/c++", "var/lib/dpkg/status"}));
  EXPECT_THAT(off.system.at("var/lib/dpkg/status").content, Not(HasSubstr("Package: g++\n")));
  EXPECT_THAT(on.state.at("var/lib/dpkg/status").content, HasSubstr("Package: g++\n"));
  EXPECT_NE(on.state.at("etc/ld.so.cache"), off.state.at("etc/ld.so.cache"));
  // Nothing that is below it already.
  for (const auto& [path, file] : on.state) {
    const auto below = on.system.find(path);
    if (below != on.system.end()) {
      EXPECT_NE(below->second, file) << path;
    }
  }
}

TEST_F(StateStageTest, DebiansCudaIsSeenWhereOthersHaveTheirs) {
  loaded_.spec.cuda.provider = "debian";
  FakeDeb dev("nvidia-cuda-dev");
  dev.Control("control",
              "Package: nvidia-cuda-dev\nSource: nvidia-cuda-toolkit\nVersion: 1\n"
              "Architecture: amd64\nMaintainer: A <a@b.c>\nDescription: a package\n");
  Add(dev.File("usr/include/cuda.h").File("usr/include/crt/host_defines.h"), specs::kCudaRoot);
  Add(FakeDeb("libc6-dev").File("usr/include/stdio.h"), specs::kCudaRoot);
  const StateStage on = Make(true);
  EXPECT_EQ(on.state.at("usr/local/cuda/include/cuda.h").node.target, "/usr/include/cuda.h");
  EXPECT_EQ(on.state.at("usr/local/cuda/include/crt").node.target, "/usr/include/crt");
  EXPECT_FALSE(on.state.contains("usr/local/cuda/include/stdio.h"));
  EXPECT_FALSE(Make(false).state.contains("usr/local/cuda"));
}

TEST_F(StateStageTest, TheWheelOfCudnnBesideDebiansCudaIsFound) {
  loaded_.spec.cuda.provider = "debian";
  loaded_.spec.python.version = "3.11";
  const std::string folder = "opt/venv/lib/python3.11/site-packages/nvidia/cudnn/lib";
  FakeDeb cudnn("nvidia-cudnn-cu11");
  Add(cudnn.Library(folder + "/libcudnn.so.9", "libcudnn.so.9"));
  locked_.back().kind = specs::PackageKind::kWheel;
  const StateStage on = Make(true);
  EXPECT_EQ(on.state.at("etc/ld.so.conf.d/00-imgbuild.conf").content, "/" + folder + "\n");
  EXPECT_FALSE(Make(false).state.contains("etc/ld.so.conf.d/00-imgbuild.conf"));
}

}  // namespace
}  // namespace imgbuild::builder
