#include "runtime/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/surroundings.h"
#include "runtime/text.h"

namespace imgbuild::runtime {
namespace {

[[noreturn]] void Fail(const char* what, const char* name, int status) {
  FixedText<600> line;
  line.Add("imgbuild-init: ").Add(what).Add(" ").Add(name).Add(": ").Add(strerror(errno)).Add("\n");
  [[maybe_unused]] ssize_t ignored = write(2, line.data(), line.size());
  _exit(status);
}

void ResetSignals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

void TakeForeground() {
  setpgid(0, 0);
  // Without ignoring it, setting the foreground group from the background stops the caller.
  signal(SIGTTOU, SIG_IGN);
  if (isatty(0)) tcsetpgrp(0, getpgrp());
}

void TakeSession() {
  setsid();
  const int null = open("/dev/null", O_RDONLY);
  if (null < 0) return;
  dup2(null, 0);
  if (null > 0) close(null);
}

[[noreturn]] void Execute(const SpawnPlan& plan) {
  plan.service != nullptr ? TakeSession() : TakeForeground();
  if (plan.out >= 0) dup2(plan.out, 1);
  if (plan.err >= 0) dup2(plan.err, 2);
  ResetSignals();
  if (plan.service != nullptr) {
    const Failure failure = EnterSurroundings(*plan.service, plan.identity, plan.token);
    if (failure.what != nullptr) Fail(failure.what, failure.name, 126);
  }
  execvp(plan.argv[0], const_cast<char* const*>(plan.argv));
  Fail("cannot run", plan.argv[0], errno == ENOENT ? 127 : 126);
}

}  // namespace

pid_t Spawn(const SpawnPlan& plan) {
  const pid_t child = fork();
  if (child == 0) Execute(plan);
  return child;
}

int ExitCode(int wait_status) {
  if (WIFEXITED(wait_status)) return WEXITSTATUS(wait_status);
  return 128 + WTERMSIG(wait_status);
}

void DescribeExit(int wait_status, char* text, std::size_t size) {
  if (WIFEXITED(wait_status)) {
    snprintf(text, size, "exited with status %d", WEXITSTATUS(wait_status));
  } else {
    snprintf(text, size, "was killed by signal %d", WTERMSIG(wait_status));
  }
}

}  // namespace imgbuild::runtime
