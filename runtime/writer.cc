#include "runtime/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "runtime/text.h"

namespace imgbuild::runtime {
namespace {

constexpr long kLongestWriteNs = 10'000'000;
constexpr int kTimerSignal = SIGVTALRM;

// Interrupts system calls of this process, again and again while it is armed, so that one that
// begins after the first time is interrupted too.
class Timer {
 public:
  bool Open() {
    if (open_) return true;
    struct sigaction action {};
    action.sa_handler = [](int) {};  // without SA_RESTART
    if (sigaction(kTimerSignal, &action, nullptr) != 0) return false;
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = kTimerSignal;
    open_ = timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
    return open_;
  }
  void Arm(bool armed) {
    itimerspec when{};
    if (armed) when.it_value.tv_nsec = when.it_interval.tv_nsec = kLongestWriteNs;
    timer_settime(timer_, 0, &when, nullptr);
  }

 private:
  bool open_ = false;
  timer_t timer_{};
};

Timer timer;

ssize_t TimedWrite(int fd, const char* text, std::size_t size) {
  timer.Arm(true);
  const ssize_t written = write(fd, text, size);
  const int error = errno;
  timer.Arm(false);
  errno = error == EINTR ? EAGAIN : error;
  return written;
}

}  // namespace

// Without /proc, as the device that a terminal has by name.
bool Writer::OpenAnew() {
  struct stat shared {};
  if (fstat(shared_, &shared) != 0) return false;
  FixedText<40> descriptor;
  descriptor.Add("/proc/self/fd/").Add(static_cast<std::uint64_t>(shared_));
  FixedText<40> terminal;
  terminal.Add("/dev/pts/").Add(std::uint64_t{minor(shared.st_rdev)});
  const char* const paths[] = {descriptor.data(), terminal.data(), "/dev/console"};
  for (const char* path : paths) {
    // Looked at first: opening what is something else may have effects.
    struct stat found {};
    if (stat(path, &found) != 0 || found.st_dev != shared.st_dev || found.st_ino != shared.st_ino) {
      continue;
    }
    const int own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0) continue;
    fd_ = own;
    return true;
  }
  return false;
}

void Writer::Open() {
  struct stat status {};
  if (fstat(shared_, &status) != 0) return;
  const bool terminal = isatty(shared_) != 0;
  if (S_ISSOCK(status.st_mode)) {
    way_ = Way::kSocket;
  } else if ((terminal || S_ISFIFO(status.st_mode)) && OpenAnew()) {
    way_ = Way::kOwn;
  } else if (terminal && timer.Open()) {
    way_ = Way::kTimed;
  }
}

ssize_t Writer::Write(const char* text, std::size_t size) {
  if (way_ == Way::kSocket) return send(fd_, text, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (way_ == Way::kTimed) return TimedWrite(fd_, text, size);
  return write(fd_, text, size);
}

}  // namespace imgbuild::runtime
