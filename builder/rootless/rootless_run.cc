#include "builder/rootless/rootless_run.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builder/rootless/first_process.h"
#include "builder/rootless/run_folder.h"
#include "builder/rootless/user_namespace.h"
#include "layers/io/file.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

int ExitStatus(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int WaitFor(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return 1;
  }
  return ExitStatus(status);
}

sigset_t KeptSignals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGWINCH, SIGUSR1, SIGUSR2, SIGCHLD}) {
    ::sigaddset(&signals, number);
  }
  return signals;
}

// Signals for the keeper go to `child`, until that ends. Those of the terminal reach both.
int HandSignalsOn(const sigset_t& signals, pid_t child, pid_t parent) {
  for (;;) {
    siginfo_t signal{};
    if (::sigwaitinfo(&signals, &signal) < 0) continue;
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) return ExitStatus(status);
    if (::getppid() != parent) {
      ::kill(child, SIGKILL);
    } else if (signal.si_signo != SIGCHLD && signal.si_code != SI_KERNEL) {
      ::kill(child, signal.si_signo);
    }
  }
}

struct Keeper {
  const RootlessRun& run;
  const RunFolder& folder;
  const LookAtWritten& look;
  const layers::FileDescriptor& seen;
  pid_t program;

  int operator()(int errors) const {
    const sigset_t signals = KeptSignals();
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // it has something to do then
    RemoveDeadRuns(run.base);
    int alive[2];
    if (::pipe2(alive, O_CLOEXEC) != 0 || ::unshare(CLONE_NEWPID) != 0) {
      throw specs::Error("this machine grants no process namespace").Found(std::strerror(errno));
    }
    const pid_t child = ::fork();
    if (child < 0) throw specs::Error("cannot start a process").Found(std::strerror(errno));
    if (child == 0) {
      ::close(alive[1]);
      BecomeFirstProcess(run, folder.path(), alive[0]);
    }
    ::close(errors);
    ::close(alive[0]);
    const int status = HandSignalsOn(signals, child, program);
    Look();
    folder.Remove();
    return status;
  }

  // The run is over, whether anything can be said of it or not.
  void Look() const {
    if (!look || !seen.valid()) return;
    try {
      std::ofstream(PathOf(seen)) << look(RootFolder(WrittenBelow(folder.path())));
    } catch (const std::exception&) {
      return;
    }
  }
};

// Has what the keeper says in its end. Invalid where the kernel gives none.
layers::FileDescriptor FileInMemory() {
  return layers::FileDescriptor(::memfd_create("imgbuild-seen", MFD_CLOEXEC));
}

// The image's first process may take the terminal for itself, and nobody gives it back: a shell
// without job control would be stopped as soon as it reads.
class TerminalOwner {
 public:
  TerminalOwner() : group_(::tcgetpgrp(STDIN_FILENO)) {}
  ~TerminalOwner() {
    if (group_ <= 0 || ::tcgetpgrp(STDIN_FILENO) == group_) return;
    sigset_t stop;
    sigset_t before;
    ::sigemptyset(&stop);
    ::sigaddset(&stop, SIGTTOU);
    ::pthread_sigmask(SIG_BLOCK, &stop, &before);
    ::tcsetpgrp(STDIN_FILENO, group_);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  TerminalOwner(const TerminalOwner&) = delete;
  TerminalOwner& operator=(const TerminalOwner&) = delete;

 private:
  pid_t group_;
};

}  // namespace

RunEnd RunRootless(const RootlessRun& run, const std::function<void(pid_t keeper)>& started,
                   const LookAtWritten& look) {
  const TerminalOwner terminal;
  const RunFolder folder(run.base);
  const layers::FileDescriptor seen = look ? FileInMemory() : layers::FileDescriptor();
  NamespaceChild child = ForkIntoNamespace(
      run.maps,
      Keeper{.run = run, .folder = folder, .look = look, .seen = seen, .program = ::getpid()});
  started(child.pid);
  try {
    ThrowChildError(child);
  } catch (const specs::Error&) {
    WaitFor(child.pid);
    throw;
  }
  const int status = WaitFor(child.pid);
  return {.status = status, .seen = seen.valid() ? layers::ReadFile(PathOf(seen)) : ""};
}

}  // namespace imgbuild::builder
