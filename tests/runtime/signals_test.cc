// Signals and questions at any moment, over tables of all kinds: it ends, and leaves nothing.
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/runtime/init_process.h"
#include "tests/runtime/scripts.h"

namespace imgbuild::runtime {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using testing::AnyOf;
using testing::IsEmpty;

// One run, as its seed has it.
class Disturbance {
 public:
  explicit Disturbance(unsigned seed) : random_(seed) {}

  void Run();

 private:
  int Below(int most) { return static_cast<int>(random_() % static_cast<unsigned>(most)); }
  bool Maybe() { return Below(2) == 0; }
  std::string Soon() { return "sleep 0.0" + std::to_string(Below(3)) + std::to_string(Below(10)); }

  std::string Table();
  std::string First();
  std::string Second();
  void Disturb(InitProcess& init);
  int End(InitProcess& init);

  std::mt19937 random_;
  bool first_ = false;
  bool command_ = false;
  std::vector<int> asking_;  // connections in use
};

// What runs to its end before others, well or not.
std::string Disturbance::First() {
  switch (Below(4)) {
    case 0:
      return Script("first", Soon(), "type oneshot\n");
    case 1:
      return Script("first", Soon() + "; exit 3", "type job\nrestart never\n");
    case 2:
      return Script("first", Soon() + "; exit " + std::to_string(Below(2)),
                    "type oneshot\nrestart on-failure 3\nstop 15 30\n");
    default:
      return Script("first", "exec sleep 100", "ready delay 5\n");
  }
}

std::string Disturbance::Second() {
  switch (Below(4)) {
    case 0:
      return Script("second", "trap '' TERM; sleep 100 & wait; sleep 100",
                    "after first\nstop 15 30\n");
    case 1:
      return Script("second", "exec sleep 100",
                    "after first\nready exec 1000\nready-exec sh\nready-exec -c\n"
                    "ready-exec " +
                        Soon() +
                        "\nlive exec 10 20 2\nlive-exec sh\nlive-exec -c\n"
                        "live-exec " +
                        Soon() + "\n");
    case 2:
      return Script("second", "seq 1 3000; " + Soon() + "; exit 1",
                    "after first\nrestart always 0\nstop 2 50\n");
    default:
      return Script("second", "sleep 100 & sleep 100", "after first\nessential\n");
  }
}

std::string Disturbance::Table() {
  return TableOf(First() + Second() + Script("third", Maybe() ? kStays : Soon(), "after second\n"));
}

void Disturbance::Disturb(InitProcess& init) {
  constexpr int kSignals[] = {SIGHUP,  SIGUSR1, SIGUSR2, SIGCHLD, SIGWINCH,
                              SIGALRM, SIGTERM, SIGINT,  SIGQUIT};
  const std::vector<std::string> questions = {"status\n",     "status json\n", "restart second\n",
                                              "stop third\n", "start third\n", "ready\n",
                                              "reload\n",     "logs first\n",  "half a questi"};
  std::this_thread::sleep_for(microseconds(Below(15'000)));
  switch (Below(4)) {
    case 0: {
      const int fd = ConnectTo(init.control());
      if (fd < 0) return;
      asking_.push_back(fd);
      const std::string& question = questions[static_cast<std::size_t>(Below(9))];
      (void)send(fd, question.data(), question.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      return;
    }
    case 1:
      init.ChangeTable(Table());
      init.Signal(SIGHUP);
      return;
    default:
      // Those that end it are rarer, so that more happens before.
      init.Signal(kSignals[Below(Maybe() ? 6 : 9)]);
  }
}

// The first of a process namespace does not hear of signals before it asks for them.
int Disturbance::End(InitProcess& init) {
  int status = -1;
  for (int i = 0; i < 100 && status == -1; ++i) {
    init.Signal(SIGTERM);
    status = init.WaitForExit(first_ ? milliseconds(100) : milliseconds(10'000));
    if (!first_) break;
  }
  return status;
}

void Disturbance::Run() {
  InitSetup setup;
  setup.first = Below(4) == 0;
  first_ = setup.first = setup.first && IsPossible(setup);
  command_ = Below(4) == 0;
  std::vector<std::string> arguments;
  if (command_) arguments = {"--with-services", "sh", "-c", Soon() + "; exec sleep 100"};
  InitProcess init(Table(), arguments, {}, setup);
  for (int i = Below(6); i >= 0; --i) Disturb(init);
  const int status = End(init);
  // Its own end, or that of a service that it ended with, by a signal that was passed on. By a
  // signal of its own only before it had taken them over, when it had started nothing.
  const bool early = init.output().empty() && status > 128;
  if (!early) {
    EXPECT_THAT(status, AnyOf(0, 1, 3, 128 + SIGTERM, 128 + SIGUSR1, 128 + SIGUSR2, 128 + SIGALRM,
                              AnyOf(128 + SIGHUP, 128 + SIGINT, 128 + SIGQUIT)))
        << init.output();
  }
  EXPECT_THAT(init.Leftovers(), IsEmpty()) << init.output();
  for (int fd : asking_) close(fd);
}

constexpr unsigned kRuns = 600;
constexpr unsigned kParts = 12;  // that may run side by side

class Signals : public testing::TestWithParam<unsigned> {};

TEST_P(Signals, AtEveryStage) {
  for (unsigned seed = GetParam(); seed < kRuns && !HasFailure(); seed += kParts) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Disturbance(seed).Run();
  }
}

INSTANTIATE_TEST_SUITE_P(Parts, Signals, testing::Range(0u, kParts));

}  // namespace
}  // namespace imgbuild::runtime
