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
  std::function<int()> run;  // guarded by mutex
};

// Signals are the process's, and so is what they do.
Action& TheAction() {
  static Action action;
  return action;
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

void EndOnInterrupt() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    const bool ignored = sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_IGN;
    if (!ignored) sigaddset(&signals, number);  // nohup wants to be left alone
  }
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file size limit is a failed write, with a message
  std::thread([signals] {
    int number = 0;
    sigwait(&signals, &number);
    _exit(Act());
  }).detach();
}

}  // namespace imgbuild::builder
