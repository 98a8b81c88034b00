// Many processes, and no leave to do much.
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/runtime/init_process.h"
#include "tests/runtime/scripts.h"

namespace imgbuild::runtime {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Stress, ReapsTenThousandOrphans) {
  // Each subshell leaves a child behind, which outlives it and so comes to the supervisor.
  const std::string script =
      "i=0; while test $i -lt 10000; do (true & true); i=$((i+1)); done; echo made $$; "
      "exec sleep 100";
  InitProcess init(TableOf(Script("a", script)), {});
  ASSERT_TRUE(init.WaitFor("[a] made ", std::chrono::seconds(120)));
  const pid_t service = std::stoi(init.output().substr(init.output().find("made ") + 5));
  // None is left as a zombie: its only child is the service.
  std::vector<pid_t> children = init.Children();
  for (int i = 0; i < 500 && children.size() != 1; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    children = init.Children();
  }
  EXPECT_THAT(children, ElementsAre(service));
  EXPECT_EQ(init.Ask({"health", "--ready"}).status, 0);
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

TEST(Stress, DoesWithoutWhatASandboxRefuses) {
  InitSetup setup;
  setup.refused = {SYS_prctl,  SYS_setrlimit, SYS_ptrace,    SYS_unshare,    SYS_setns,
                   SYS_mount,  SYS_umount2,   SYS_bpf,       SYS_keyctl,     SYS_io_uring_setup,
                   SYS_chroot, SYS_setuid,    SYS_setgroups, SYS_chown,      SYS_sched_setaffinity,
                   SYS_fchown, SYS_fchownat,  SYS_fallocate, SYS_userfaultfd};
#ifndef IMGBUILD_SANITIZED  // a sanitized program cannot begin without this one
  setup.refused.push_back(SYS_prlimit64);
#endif
  InitProcess init(TableOf(Script("setup", "echo prepared", "type oneshot\n") +
                           Script("web", "echo up; sleep 0.2; exit 1",
                                  "after setup\nready exec 5000\nready-exec true\n")),
                   {}, {}, setup);
  ASSERT_TRUE(init.WaitFor("[setup] prepared")) << init.output();
  ASSERT_TRUE(init.WaitFor("web exited with status 1, starting again in 250 ms")) << init.output();
  EXPECT_EQ(init.Ask({"status"}).status, 0);
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

TEST(Stress, AProcessThatCannotBeStartedIsTriedAgain) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become a user that may start no process";
  InitSetup setup;
  setup.uid = 65501;
  setup.most = 0;
  InitProcess init(TableOf(Script("a", "echo ran", "restart on-failure 3\n")), {}, {}, setup);
  EXPECT_EQ(init.WaitForExit(), 125) << init.output();
  EXPECT_THAT(init.output(), HasSubstr("a cannot be started: Resource temporarily unavailable\n"));
  EXPECT_THAT(init.output(), HasSubstr("a failed too often, giving up"));
}

}  // namespace
}  // namespace imgbuild::runtime
