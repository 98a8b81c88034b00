#include "builder/cli/interrupt.h"

#include <string_view>
#include <thread>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "specs/base/error.h"

namespace imgbuild::builder {

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
    constexpr std::string_view kText = "\ninterrupted; what was finished is cached\n";
    [[maybe_unused]] ssize_t ignored = write(STDERR_FILENO, kText.data(), kText.size());
    _exit(static_cast<int>(specs::ErrorKind::kInterrupted));
  }).detach();
}

}  // namespace imgbuild::builder
