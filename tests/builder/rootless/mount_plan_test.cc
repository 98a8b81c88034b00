#include "builder/rootless/mount_plan.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

std::vector<std::string> Targets(const std::vector<PlannedMount>& mounts) {
  std::vector<std::string> targets;
  for (const PlannedMount& mount : mounts) targets.push_back(mount.target);
  return targets;
}

const PlannedMount& At(const std::vector<PlannedMount>& mounts, std::string_view target) {
  return *std::ranges::find(mounts, target, &PlannedMount::target);
}

TEST(MountPlan, HasWhatProgramsExpect) {
  const auto mounts = MountsFor({});
  EXPECT_THAT(Targets(mounts),
              testing::ElementsAre("proc", "dev", "dev/null", "dev/zero", "dev/full", "dev/random",
                                   "dev/urandom", "dev/tty", "dev/pts", "dev/shm", "dev/ptmx",
                                   "dev/fd", "dev/stdin", "dev/stdout", "dev/stderr", "sys", "tmp",
                                   "etc/resolv.conf", "etc/hosts"));
  EXPECT_EQ(At(mounts, "proc").instead, "/proc");
  EXPECT_EQ(At(mounts, "sys").kind, MountKind::kBindReadOnly);
  EXPECT_EQ(At(mounts, "sys").need, MountNeed::kOptional);
}

TEST(MountPlan, GivesNewFileSystemsNoDevicesAndNoRights) {
  for (const PlannedMount& mount : MountsFor({})) {
    if (mount.kind != MountKind::kNew) continue;
    EXPECT_TRUE((mount.flags & MS_NOSUID) != 0) << mount.target;
    if (mount.target.starts_with("dev")) continue;
    EXPECT_TRUE((mount.flags & MS_NODEV) != 0) << mount.target;
  }
}

TEST(MountPlan, PutsFoldersLastAndInnerOnesAfterOuterOnes) {
  const auto mounts = MountsFor({{"/data/home", "/work/home"}, {"/here", "/work/"}});
  ASSERT_GE(mounts.size(), 2u);
  const PlannedMount& outer = mounts[mounts.size() - 2];
  EXPECT_EQ(outer.target, "work");
  EXPECT_EQ(outer.source, "/here");
  EXPECT_EQ(outer.kind, MountKind::kBindFolder);
  EXPECT_EQ(mounts.back().target, "work/home");
}

TEST(MountPlan, RefusesFoldersThatLeadElsewhere) {
  for (const char* inside : {"/", "work", "", "/work/../..", "//"}) {
    EXPECT_THROW(MountsFor({{"/here", inside}}), specs::Error) << inside;
  }
}

}  // namespace
}  // namespace imgbuild::builder
