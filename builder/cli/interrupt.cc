#include "builder/cli/interrupt.h"

#include <mutex>
#include <string_view>
#include <thread>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

struct Action {
  std::mutex mutex;
  std::function<int()> run;       // guarded by mutex
  std::function<void(int)> pass;  // guarded by mutex
  std::mutex before_mutex;
  std::function<void()> before;  // guarded by before_mutex
};

// Signals are the process's, and so is what they do.
Action& TheAction() {
  static Action action;
  return action;
}

// Whether the signal has been seen to, and the process goes on.
bool Pass(const siginfo_t& signal) {
  std::lock_guard lock(TheAction().mutex);
  if (!TheAction().pass) return false;
  if (signal.si_code != SI_KERNEL) TheAction().pass(signal.si_signo);
  return true;
}

// What the signal does to a program that knows nothing of it.
void EndBy(int number) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, number);
  ::signal(number, SIG_DFL);
  raise(number);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

void ActBefore() {
  std::lock_guard lock(TheAction().before_mutex);
  if (TheAction().before) TheAction().before();
}

int Act() {
  std::function<int()> run;
  {
    std::lock_guard lock(TheAction().mutex);
    run = TheAction().run;
  }
  if (run) return run();
  constexpr std::string_view kText = "\ninterrupted; what was finished is cached\n";
  [[maybe_unused]] ssize_t ignored = write(STDERR_FILENO, kText.data(), kText.size());
  return static_cast<int>(specs::ErrorKind::kInterrupted);
}

}  // namespace

void OnInterrupt(std::function<int()> action) {
  std::lock_guard lock(TheAction().mutex);
  TheAction().run = std::move(action);
}

void BeforeInterruptedEnd(std::function<void()> action) {
  std::lock_guard lock(TheAction().before_mutex);
  TheAction().before = std::move(action);
}

void PassInterrupts(std::function<void(int number)> pass) {
  std::lock_guard lock(TheAction().mutex);
  TheAction().pass = std::move(pass);
}

void EndOnInterrupt() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction before {};
    const bool ignored = sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN;
    if (!ignored) sigaddset(&signals, number);  // nohup wants to be left alone
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file size limit is a failed write, with a message
  std::thread([signals] {
    for (;;) {
      siginfo_t signal{};
      if (sigwaitinfo(&signals, &signal) < 0 || Pass(signal)) continue;
      if (signal.si_signo == SIGQUIT) EndBy(SIGQUIT);
      ActBefore();
      _exit(Act());
    }
  }).detach();
}

}  // namespace imgbuild::builder
