// Asking the supervisor that runs: status, control by hand, health.
#include <chrono>
#include <string>
#include <thread>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/runtime/init_process.h"

namespace imgbuild::runtime {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

std::string Entry(const std::string& name, const std::string& script,
                  const std::string& more = "") {
  return fmt::format("service {}\nexec sh\nexec -c\nexec {}\n{}end\n", name, script, more);
}
std::string Table(const std::string& entries) {
  return "imgbuild-services 2\nshell sh\n" + entries;
}

// Until `what` is in the answer; what it was at last.
std::string Until(const InitProcess& init, std::vector<std::string> arguments,
                  const std::string& what) {
  std::string answer;
  for (int i = 0; i < 1000; ++i) {
    answer = init.Ask(arguments).output;
    if (answer.find(what) != std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return answer;
}

// Of the only service in `status --json`.
long Pid(const InitProcess& init) {
  const std::string status = init.Ask({"status", "--json"}).output;
  const std::size_t at = status.find("\"pid\":");
  return at == std::string::npos ? -1 : std::stol(status.substr(at + 6));
}

const char kStays[] = "echo up; exec sleep 100";

TEST(Control, TellsTheStateOfEachService) {
  InitProcess init(Table(Entry("web", kStays) + Entry("later", "exit 0", "restart never\n")), {});
  ASSERT_TRUE(init.WaitFor("[web] up"));
  EXPECT_THAT(Until(init, {"status"}, "done"),
              AllOf(HasSubstr("SERVICE"), HasSubstr("web                  ready"),
                    HasSubstr("later                done")));
  const InitProcess::Asked json = init.Ask({"status", "--json"});
  EXPECT_EQ(json.status, 0);
  EXPECT_THAT(json.output,
              AllOf(HasSubstr(R"({"services":[{"name":"web","state":"ready","ready":true,"pid":)"),
                    HasSubstr(R"("restarts":0,"since-seconds":)"),
                    HasSubstr(R"({"name":"later","state":"done","ready":true,"pid":0,)")));
}

TEST(Control, RestartsAServiceWhateverItsPolicy) {
  InitProcess init(Table(Entry("web", kStays, "restart never\nessential\n")), {});
  ASSERT_TRUE(init.WaitFor("[web] up"));
  Until(init, {"status"}, "ready");
  const long before = Pid(init);
  ASSERT_GT(before, 0);
  EXPECT_EQ(init.Ask({"restart", "web"}).status, 0);
  EXPECT_THAT(Until(init, {"status", "--json"}, "\"restarts\":1"), HasSubstr("\"restarts\":1"));
  Until(init, {"status"}, "ready");
  EXPECT_NE(Pid(init), before);
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

TEST(Control, AServiceStoppedByHandWaitsToBeStartedByHand) {
  InitProcess init(Table(Entry("web", kStays, "restart always\nessential\n")), {});
  ASSERT_TRUE(init.WaitFor("[web] up"));
  EXPECT_EQ(init.Ask({"stop", "web"}).status, 0);
  EXPECT_THAT(Until(init, {"status"}, "stopped"), HasSubstr("stopped"));
  EXPECT_EQ(init.Ask({"health", "--ready"}).status, 1);
  EXPECT_EQ(init.Ask({"health", "--live"}).status, 0);
  EXPECT_EQ(init.Ask({"start", "web"}).status, 0);
  EXPECT_THAT(Until(init, {"status"}, "ready"), HasSubstr("ready"));
  EXPECT_EQ(init.Ask({"stop", "web"}).status, 0);
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

// Whoever asks shall send nobody there any more, from the answer to "stop" on.
TEST(Control, AServiceThatIsToldToEndIsNotReady) {
  for (const char* how : {"stop", "restart"}) {
    InitProcess init(Table(Entry("web", "trap '' TERM; echo up; while :; do sleep 0.05; done",
                                 "stop 15 3000\n")),
                     {});
    ASSERT_TRUE(init.WaitFor("[web] up"));
    Until(init, {"status"}, "ready");
    EXPECT_EQ(init.Ask({"health", "--ready"}).status, 0);
    EXPECT_EQ(init.Ask({how, "web"}).status, 0);
    const InitProcess::Asked health = init.Ask({"health", "--ready"});
    EXPECT_EQ(health.status, 1) << how;
    EXPECT_THAT(health.output, HasSubstr("web is ending"));
    EXPECT_EQ(init.Ask({"health", "--live"}).status, 0);
    EXPECT_THAT(init.Ask({"status", "--json"}).output,
                HasSubstr(R"("state":"ending","ready":false,)"));
    kill(static_cast<pid_t>(Pid(init)), SIGKILL);
    const std::string after = how == std::string("stop") ? "stopped" : "ready";
    EXPECT_THAT(Until(init, {"status"}, after), HasSubstr(after));
  }
}

TEST(Control, AServiceIsStartedAgainWhileItStillEnds) {
  InitProcess init(
      Table(Entry("web", "trap '' TERM; echo up; while :; do sleep 0.05; done", "stop 15 200\n")),
      {});
  ASSERT_TRUE(init.WaitFor("[web] up"));
  Until(init, {"status"}, "ready");
  EXPECT_EQ(init.Ask({"stop", "web"}).status, 0);
  EXPECT_EQ(init.Ask({"start", "web"}).status, 0);
  EXPECT_THAT(Until(init, {"status", "--json"}, "\"restarts\":1"), HasSubstr("\"restarts\":1"));
  EXPECT_THAT(Until(init, {"status"}, "ready"), HasSubstr("ready"));
}

TEST(Control, AServiceThatIgnoresItsSignalIsRestartedAllTheSame) {
  InitProcess init(
      Table(Entry("web", "trap '' TERM; echo up; while :; do sleep 0.05; done", "stop 15 100\n")),
      {});
  ASSERT_TRUE(init.WaitFor("[web] up"));
  EXPECT_EQ(init.Ask({"restart", "web"}).status, 0);
  EXPECT_THAT(Until(init, {"status", "--json"}, "\"restarts\":1"), HasSubstr("\"restarts\":1"));
}

TEST(Control, ShowsTheLastLinesOfAService) {
  InitProcess init(Table(Entry("web",
                               "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); "
                               "done; echo end >&2; exec sleep 100")),
                   {});
  ASSERT_TRUE(init.WaitFor("[web] end"));
  ASSERT_TRUE(init.WaitFor("[web] line 4999"));  // two pipes, in whatever order
  const InitProcess::Asked logs = init.Ask({"logs", "web"});
  EXPECT_EQ(logs.status, 0);
  EXPECT_THAT(logs.output, AllOf(testing::StartsWith("line "), HasSubstr("\nline 4999\n"),
                                 HasSubstr("\nend\n"), Not(HasSubstr("line 100\n"))));
}

TEST(Control, HealthIsReadinessOrThatNothingWasGivenUp) {
  InitProcess init(Table(Entry("slow", kStays, "ready tcp 1 60000\n") + Entry("fine", kStays) +
                         Entry("bad", "exit 4", "restart never\n")),
                   {});
  ASSERT_TRUE(init.WaitFor("[fine] up"));
  EXPECT_THAT(Until(init, {"status"}, "done"), HasSubstr("done"));
  const InitProcess::Asked ready = init.Ask({"health", "--ready"});
  EXPECT_EQ(ready.status, 1);
  EXPECT_THAT(ready.output, AllOf(HasSubstr("slow is starting"), HasSubstr("bad is done"),
                                  Not(HasSubstr("fine"))));
  EXPECT_EQ(init.Ask({"health", "--ready", "fine"}).status, 0);
  EXPECT_EQ(init.Ask({"health", "--live", "slow"}).status, 0);
  const InitProcess::Asked live = init.Ask({"health", "--live"});
  EXPECT_EQ(live.status, 1);
  EXPECT_EQ(live.output, "bad is done\n");
}

TEST(Control, SaysWhatIsWrongWithAQuestion) {
  InitProcess init(Table(Entry("web", kStays) + Entry("api", kStays)), {});
  ASSERT_TRUE(init.WaitFor("[web] up"));
  const InitProcess::Asked unknown = init.Ask({"restart", "wbe"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_EQ(unknown.output, "there is no service wbe; there are web api\n");
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"restart"},
                                             {"status", "-x"},
                                             {"health"},
                                             {"health", "web"},
                                             {"logs", "web", "api"},
                                             {"restart", "a\nstop web"}}) {
    EXPECT_EQ(init.Ask(wrong).status, 2) << wrong[0];
  }
  const std::string control = init.control();
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
  EXPECT_EQ(init.Ask({"status"}).status, 125);
  EXPECT_NE(access(control.c_str(), F_OK), 0) << "its socket is gone with it";
}

TEST(Control, ClientsThatSayNothingOrTooMuchAreHungUpOn) {
  InitProcess init(Table(Entry("web", kStays)), {});
  ASSERT_TRUE(init.WaitFor("[web] up"));
  std::vector<int> silent;
  for (int i = 0; i < 12; ++i) silent.push_back(ConnectTo(init.control()));
  EXPECT_EQ(init.Ask({"status"}).status, 0);  // once their time is over
  for (int fd : silent) close(fd);
  const int loud = ConnectTo(init.control());
  const std::string noise(100'000, 'x');
  (void)send(loud, noise.data(), noise.size(), MSG_NOSIGNAL);
  char byte;
  EXPECT_LE(recv(loud, &byte, 1, 0), 0);
  close(loud);
  const int rude = ConnectTo(init.control());  // asks, and never reads
  EXPECT_EQ(send(rude, "status\n", 7, MSG_NOSIGNAL), 7);
  close(rude);
  EXPECT_EQ(init.Ask({"status"}).status, 0);
}

TEST(Control, OtherUsersAreRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  InitProcess init(Table(Entry("web", kStays)), {});
  ASSERT_TRUE(init.WaitFor("[web] up"));
  struct stat info {};
  ASSERT_EQ(stat(init.control().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(chmod(init.control().c_str(), 0777), 0);  // as if somebody had
  const pid_t child = fork();
  if (child == 0) {
    if (setuid(12345) != 0) _exit(9);
    const int fd = ConnectTo(init.control());
    (void)send(fd, "status\n", 7, MSG_NOSIGNAL);
    char byte;
    _exit(recv(fd, &byte, 1, 0) > 0 ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Control, CommandsGoBesideServicesWithoutAnyControl) {
  InitProcess init("", {"sh", "-c", "echo ran"});
  EXPECT_EQ(init.WaitForExit(), 0);
  EXPECT_NE(access(init.control().c_str(), F_OK), 0);
}

}  // namespace
}  // namespace imgbuild::runtime
