// Many processes, signals at any moment, no room for more.
#include <chrono>
#include <random>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/runtime/init_process.h"
#include "tests/runtime/scripts.h"

namespace imgbuild::runtime {
namespace {

using testing::HasSubstr;

TEST(Stress, ReapsTenThousandOrphans) {
  // Each subshell leaves a child behind, which outlives it and so comes to the supervisor.
  const std::string script =
      "i=0; while test $i -lt 10000; do (true & true); i=$((i+1)); done; echo made; exec sleep 100";
  InitProcess init(TableOf(Script("a", script)), {});
  ASSERT_TRUE(init.WaitFor("[a] made", std::chrono::seconds(120)));
  // None is left as a zombie: its only child is the service.
  std::string children;
  for (int i = 0; i < 500; ++i) {
    children = init.Children();
    if (children.find(' ') == children.size() - 1) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(children.find(' '), children.size() - 1) << children;
  EXPECT_EQ(init.Ask({"health", "--ready"}).status, 0);
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

// One run: signals at moments that `random` draws, from before it is set up to after its stop
// began. However they fall, it ends, with a status of its own, and none of its services is left.
void Disturb(std::mt19937& random) {
  const auto below = [&](unsigned most) { return static_cast<int>(random() % most); };
  const std::string first = below(2) == 0 ? "exec sleep 100" : "trap '' TERM; sleep 100 & wait";
  const std::string second =
      below(2) == 0 ? "exec sleep 100" : "sleep 0.0" + std::to_string(below(9));
  InitProcess init(TableOf(Script("one", "echo pid $$; " + first, "stop 15 30\nready delay 5\n") +
                           Script("two", second, "after one\nrestart always 0\nstop 15 30\n")),
                   {});
  const int kSignals[] = {SIGHUP, SIGUSR1, SIGCHLD, SIGWINCH, SIGTERM, SIGINT, SIGQUIT};
  for (int i = below(6); i >= 0; --i) {
    std::this_thread::sleep_for(std::chrono::microseconds(below(15'000)));
    init.Signal(kSignals[below(7)]);
  }
  init.Signal(SIGTERM);
  const int status = init.WaitForExit();
  // 143 and the like: before it had taken its signals over.
  const bool early = init.output().empty() && status > 128;
  EXPECT_TRUE(status == 0 || early) << status << "\n" << init.output();
  const std::size_t at = init.output().find("pid ");
  if (at == std::string::npos) return;
  const pid_t pid = std::stoi(init.output().substr(at + 4));
  EXPECT_NE(kill(pid, 0), 0) << init.output();
}

TEST(Stress, SignalsAtEveryStage) {
  constexpr unsigned kRuns = 500;
  for (unsigned seed = 1; seed <= kRuns && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    Disturb(random);
  }
}

TEST(Stress, DoesWithoutWhatASandboxRefuses) {
  InitSetup setup;
  setup.refused = {SYS_prctl,  SYS_setrlimit, SYS_ptrace,    SYS_unshare,    SYS_setns,
                   SYS_mount,  SYS_umount2,   SYS_bpf,       SYS_keyctl,     SYS_io_uring_setup,
                   SYS_chroot, SYS_setuid,    SYS_setgroups, SYS_chown,      SYS_sched_setaffinity,
                   SYS_fchown, SYS_fchownat,  SYS_fallocate, SYS_userfaultfd};
#ifndef __SANITIZE_ADDRESS__  // a sanitized program cannot begin without this one
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
  InitProcess init(TableOf(Script("a", "echo ran", "restart on-failure 3\n")), {}, {}, setup);
  EXPECT_EQ(init.WaitForExit(), 125) << init.output();
  EXPECT_THAT(init.output(), HasSubstr("a cannot be started: Resource temporarily unavailable\n"));
  EXPECT_THAT(init.output(), HasSubstr("a failed too often, giving up"));
}

}  // namespace
}  // namespace imgbuild::runtime
