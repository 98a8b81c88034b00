// No room for processes or descriptors, no /proc, and clocks that jump.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/runtime/init_process.h"
#include "tests/runtime/process_limit.h"
#include "tests/runtime/scripts.h"
#include "tests/support/free_port.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::runtime {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class Limits : public testing::Test {
 protected:
  Limits() { std::filesystem::permissions(folder_.path(), std::filesystem::perms::all); }

  std::string Path(const std::string& name) { return (folder_.path() / name).string(); }
  bool Exists(const std::string& name) { return std::filesystem::exists(Path(name)); }
  void Touch(const std::string& name) { std::ofstream(Path(name)) << ""; }
  template <typename Condition>
  static bool Until(const Condition& condition) {
    for (int i = 0; i < 1000 && !condition(); ++i) std::this_thread::sleep_for(milliseconds(10));
    return condition();
  }
  // How often the file was appended to.
  std::size_t Lines(const std::string& name) {
    std::ifstream file(Path(name));
    std::size_t lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
  }

  support::TempFolder folder_;
};

// The pid that the only line of `output` with this prefix has.
pid_t PidAfter(const std::string& output, const std::string& prefix) {
  const std::size_t at = output.rfind(prefix);
  return at == std::string::npos ? -1 : std::stoi(output.substr(at + prefix.size()));
}

TEST_F(Limits, AServiceThatMayNotBeStartedIsOnceProcessesMayBeMade) {
  const ProcessLimit limit;
  if (!limit.usable()) GTEST_SKIP() << "limiting processes takes a cgroup, or CAP_SYS_RESOURCE";
  InitProcess init(TableOf(Script("a", "echo run $$; exec sleep 100", "restart always 0\n")), {},
                   {}, limit.setup());
  ASSERT_TRUE(init.WaitFor("[a] run "));
  const pid_t first = PidAfter(init.output(), "[a] run ");
  limit.Refuse(init);
  kill(first, SIGKILL);
  ASSERT_TRUE(init.WaitFor("a cannot be started: Resource temporarily unavailable"));
  EXPECT_THAT(init.Ask({"status"}).output, HasSubstr("backoff"));
  limit.Lift(init);
  EXPECT_TRUE(Until([&] {
    init.Poll();
    return PidAfter(init.output(), "[a] run ") != first;
  }));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

TEST_F(Limits, AProbeThatCannotBeStartedSaysNothingAboutItsService) {
  const ProcessLimit limit;
  if (!limit.usable()) GTEST_SKIP() << "limiting processes takes a cgroup, or CAP_SYS_RESOURCE";
  const std::string probe =
      "live exec 20 5000 2\nlive-exec sh\nlive-exec -c\nlive-exec echo >>" + Path("asked") + "\n";
  InitProcess init(TableOf(Script("a", "echo run $$; exec sleep 100", probe)), {}, {},
                   limit.setup());
  ASSERT_TRUE(Until([&] { return Lines("asked") >= 2; }));
  limit.Refuse(init);
  std::this_thread::sleep_for(milliseconds(100));  // one may be under way
  const std::size_t asked = Lines("asked");
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_EQ(Lines("asked"), asked);
  EXPECT_THAT(init.Ask({"status"}).output, HasSubstr("ready"));
  limit.Lift(init);
  EXPECT_TRUE(Until([&] { return Lines("asked") >= asked + 2; }));
  init.Poll();
  EXPECT_THAT(init.output(), Not(HasSubstr("does not answer")));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

TEST_F(Limits, ACommandThatMayNotBeStartedIsSaidSo) {
  const ProcessLimit limit;
  if (!limit.usable()) GTEST_SKIP() << "limiting processes takes a cgroup, or CAP_SYS_RESOURCE";
  const std::uint16_t port = support::FreePort();
  InitProcess init(TableOf(Script("a", "touch " + Path("up") + "; exec sleep 100",
                                  "ready tcp " + std::to_string(port) + " 60000\n")),
                   {"--with-services", "sh", "-c", "echo ran"}, {}, limit.setup());
  ASSERT_TRUE(Until([&] { return Exists("up"); }));
  limit.Refuse(init);
  // The command starts once the service is ready.
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(server, 8), 0);
  EXPECT_EQ(init.WaitForExit(), 125);
  close(server);
  EXPECT_THAT(init.output(), HasSubstr("cannot start sh: Resource temporarily unavailable\n"));
  EXPECT_THAT(init.Leftovers(), IsEmpty());
}

// Lets the supervisor open no more descriptors.
void UseUpDescriptors(const InitProcess& init) {
  const std::string folder = "/proc/" + std::to_string(init.pid()) + "/fd/";
  rlim_t next = 0;
  while (std::filesystem::exists(std::filesystem::symlink_status(folder + std::to_string(next)))) {
    ++next;
  }
  const rlimit limit{next, next};
  ASSERT_EQ(prlimit(init.pid(), RLIMIT_NOFILE, &limit, nullptr), 0);
}

// In ticks of the clock that counts it.
long ProcessorTime(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string stat{std::istreambuf_iterator<char>(file), {}};
  std::istringstream rest(stat.substr(stat.rfind(')') + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) rest >> skipped;
  long user = 0;
  long system = 0;
  rest >> user >> system;
  return user + system;
}

TEST_F(Limits, WithoutDescriptorsItStillAnswersOneAtATime) {
#ifdef IMGBUILD_SANITIZED
  GTEST_SKIP() << "a sanitized program opens descriptors of its own";
#endif
  InitProcess init(TableOf(Script("a", kStays)), {});
  ASSERT_TRUE(init.WaitFor("[a] up"));
  UseUpDescriptors(init);
  EXPECT_THAT(init.Ask({"status"}).output, HasSubstr("ready"));
  // One that says nothing keeps the others waiting, which costs nothing, until its time is over.
  const int silent = ConnectTo(init.control());
  std::this_thread::sleep_for(milliseconds(100));
  const long before = ProcessorTime(init.pid());
  EXPECT_THAT(init.Ask({"status"}).output, HasSubstr("ready"));
  EXPECT_LT(ProcessorTime(init.pid()) - before, 50);
  close(silent);
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

// What every container does: something first, services that wait for each other and are asked how
// they are, orphans, questions, another table, an end in order.
void LiveAWholeLife(const InitSetup& setup) {
  const std::string orphans =
      "i=0; while test $i -lt 100; do (true & true); i=$((i+1)); done; echo made; exec sleep 100";
  const std::string services =
      Script("setup", "echo prepared", "type oneshot\n") +
      Script("a", orphans,
             "after setup\nready exec 5000\nready-exec true\ntoken MY_TOKEN\n"
             "announce at http://x/{token}\n") +
      Script("b", "echo run; exit 1", "after a\n") +
      Script("c", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done",
             "after a\n");
  InitProcess init(TableOf(services), {}, {}, setup);
  ASSERT_TRUE(init.WaitFor("[setup] prepared"));
  ASSERT_TRUE(init.WaitFor("[a] made"));
  ASSERT_TRUE(init.WaitFor("at http://x/?token="));
  ASSERT_TRUE(init.WaitFor("[c] up"));
  ASSERT_TRUE(init.WaitFor("starting again in 500 ms"));
  EXPECT_THAT(init.Ask({"status"}).output, HasSubstr("a                    ready"));
  EXPECT_THAT(init.Ask({"logs", "setup"}).output, HasSubstr("prepared"));
  init.ChangeTable(TableOf(services + Script("new", kStays)));
  init.Signal(SIGHUP);
  ASSERT_TRUE(init.WaitFor("reloaded: 5 services, of which 4 run on"));
  ASSERT_TRUE(init.WaitFor("[new] up"));
  // Its children are the services that run, and no zombie.
  const auto reaped = [&] { return init.Children().size() <= 4; };
  for (int i = 0; i < 500 && !reaped(); ++i) std::this_thread::sleep_for(milliseconds(10));
  EXPECT_TRUE(reaped());
  EXPECT_GE(init.Children().size(), 3u);
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0) << init.output();
  EXPECT_THAT(init.output(), HasSubstr("[c] bye"));
  EXPECT_THAT(init.Leftovers(), IsEmpty());
}

TEST_F(Limits, NothingOfItTakesProc) {
  InitSetup setup;
  setup.without_proc = true;
  if (!IsPossible(setup)) GTEST_SKIP() << "nobody may unmount /proc here";
  LiveAWholeLife(setup);
}

TEST_F(Limits, NorThatItIsPidOne) {
  LiveAWholeLife({});
  InitSetup setup;
  setup.first = true;
  if (!IsPossible(setup)) GTEST_SKIP() << "nobody may make a process namespace here";
  LiveAWholeLife(setup);
}

TEST_F(Limits, PidOneEndsWhatLeftItsServices) {
  InitSetup setup;
  setup.first = true;
  if (!IsPossible(setup)) GTEST_SKIP() << "nobody may make a process namespace here";
  InitProcess init(
      TableOf(Script("a", "setsid sh -c \"trap 'touch " + Path("told") + "' TERM; touch " +
                              Path("up") + "; while :; do sleep 0.05; done\" & exec sleep 100")),
      {}, {}, setup);
  ASSERT_TRUE(Until([&] { return Exists("up"); }));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
  EXPECT_TRUE(Exists("told"));
  EXPECT_THAT(init.Leftovers(), IsEmpty());
}

TEST_F(Limits, AClockThatIsFarAheadChangesNothing) {
  InitSetup setup;
  setup.ahead = std::chrono::hours(24 * 365 * 80);
  if (!IsPossible(setup)) GTEST_SKIP() << "nobody may make a time namespace here";
  LiveAWholeLife(setup);
}

// As engines pause a container, and machines go to sleep.
void Pause(const InitProcess& init, const std::vector<pid_t>& others, int number) {
  init.Signal(number);
  for (pid_t pid : others) kill(pid, number);
}

TEST_F(Limits, APauseIsNoFailureToAnswer) {
  const std::string asked = Path("asked");
  // An attempt takes a while, may take twice as long, and must not fail once.
  const std::string probe = "live exec 20 1000 1\nlive-exec sh\nlive-exec -c\nlive-exec touch " +
                            asked + "; sleep 0.5; rm " + asked + "\n";
  InitProcess init(TableOf(Script("a", kStays, probe + "restart never\n")), {});
  ASSERT_TRUE(init.WaitFor("[a] up"));
  bool amid = false;
  std::vector<pid_t> paused;
  for (int i = 0; i < 100 && !amid; ++i) {
    if (!Until([&] { return Exists("asked"); })) break;
    paused = init.Descendants();
    Pause(init, paused, SIGSTOP);
    amid = Exists("asked");
    if (!amid) Pause(init, paused, SIGCONT);
  }
  ASSERT_TRUE(amid);
  std::this_thread::sleep_for(std::chrono::seconds(3));
  Pause(init, paused, SIGCONT);
  ASSERT_TRUE(Until([&] { return !Exists("asked"); }));
  EXPECT_TRUE(Until([&] { return Exists("asked"); }));
  init.Poll();
  EXPECT_THAT(init.output(), Not(HasSubstr("does not answer")));
  EXPECT_THAT(init.Ask({"status"}).output, HasSubstr("ready"));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

}  // namespace
}  // namespace imgbuild::runtime
