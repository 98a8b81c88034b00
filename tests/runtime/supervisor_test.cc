#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "tests/runtime/init_process.h"
#include "tests/support/free_port.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::runtime {
namespace {

using testing::HasSubstr;
using testing::Not;

// A table of shell scripts: {name, script, further lines}.
struct NamedScript {
  std::string name;
  std::string script;
  std::string more;
};

std::string ScriptsTable(const std::vector<NamedScript>& scripts) {
  std::string table = "imgbuild-services 2\nshell sh\n";
  for (const NamedScript& script : scripts) {
    table += fmt::format("service {}\nexec sh\nexec -c\nexec {}\n{}end\n", script.name,
                         script.script, script.more);
  }
  return table;
}

bool Exists(pid_t pid) { return kill(pid, 0) == 0; }

TEST(Supervisor, PrefixesLinesAndEndsWithTheEssentialServicesStatus) {
  InitProcess init(ScriptsTable({{"a", "echo out; echo err >&2; printf tail; exit 3",
                                  "restart never\nessential\n"}}),
                   {});
  EXPECT_EQ(init.WaitForExit(), 3);
  EXPECT_THAT(init.output(), HasSubstr("[a] out\n"));
  EXPECT_THAT(init.output(), HasSubstr("[a] err\n"));
  EXPECT_THAT(init.output(), HasSubstr("[a] tail\n"));
}

TEST(Supervisor, StopsServicesInReverseOrderOnTerm) {
  const std::string script =
      "trap 'echo stopping; exit 0' TERM; echo up; while :; do sleep 0.01; done";
  InitProcess init(ScriptsTable({{"first", script, ""}, {"second", script, "after first\n"}}), {});
  ASSERT_TRUE(init.WaitFor("[first] up"));
  ASSERT_TRUE(init.WaitFor("[second] up"));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
  std::size_t second = init.output().find("[second] stopping");
  std::size_t first = init.output().find("[first] stopping");
  ASSERT_NE(second, std::string::npos) << init.output();
  ASSERT_NE(first, std::string::npos) << init.output();
  EXPECT_LT(second, first);
}

TEST(Supervisor, KillsAServiceThatIgnoresItsStopSignal) {
  InitProcess init(ScriptsTable({{"deaf", "trap '' TERM; echo up; while :; do sleep 0.01; done",
                                  "stop 15 200\n"}}),
                   {});
  ASSERT_TRUE(init.WaitFor("[deaf] up"));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
  EXPECT_THAT(init.output(), HasSubstr("deaf did not stop in time"));
}

TEST(Supervisor, SendsTheConfiguredStopSignal) {
  InitProcess init(
      ScriptsTable({{"a", "trap 'echo usr1; exit 0' USR1; echo up; while :; do sleep 0.01; done",
                     fmt::format("stop {} 5000\n", SIGUSR1)}}),
      {});
  ASSERT_TRUE(init.WaitFor("[a] up"));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
  EXPECT_THAT(init.output(), HasSubstr("[a] usr1"));
}

TEST(Supervisor, RestartsByPolicyWithBackoff) {
  InitProcess init(ScriptsTable({{"flaky", "echo run; exit 1", "restart on-failure\n"},
                                 {"once", "echo single; exit 0", "restart on-failure\n"}}),
                   {});
  ASSERT_TRUE(init.WaitFor("starting again in 500 ms"));
  EXPECT_THAT(init.output(), HasSubstr("starting again in 250 ms"));
  std::size_t first = init.output().find("[once] single");
  EXPECT_EQ(init.output().find("[once] single", first + 1), std::string::npos);
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

TEST(Supervisor, AlwaysRestartsAlsoAfterSuccess) {
  InitProcess init(ScriptsTable({{"a", "echo run", "restart always\n"}}), {});
  ASSERT_TRUE(init.WaitFor("starting again in 500 ms"));
  init.Signal(SIGINT);
  EXPECT_EQ(init.WaitForExit(), 0);
}

TEST(Supervisor, WaitsForReadinessBeforeWhatComesAfter) {
  const std::string port = std::to_string(support::FreePort());
  const std::string server =
      "sleep 0.3; echo listening; exec python3 -m http.server --bind 127.0.0.1 " + port;
  InitProcess init(
      ScriptsTable({{"web", server, "ready http " + port + " 5000 /\nannounce web is up\n"},
                    {"client", "echo started; exec sleep 60", "after web\n"}}),
      {});
  ASSERT_TRUE(init.WaitFor("[client] started"));
  EXPECT_THAT(init.output(), HasSubstr("[web] listening"));
  EXPECT_TRUE(init.WaitFor("web is up"));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

TEST(Supervisor, SaysWhenAServiceIsNotReadyInTime) {
  const std::string probe = fmt::format("ready tcp {} 100\n", support::FreePort());
  InitProcess init(ScriptsTable({{"slow", "exec sleep 60", probe}}), {});
  EXPECT_TRUE(init.WaitFor("slow is not ready yet"));
}

TEST(Supervisor, NeverWaitsForDescriptorsThatGrandchildrenHold) {
  const support::TempFolder folder;
  const std::string left = (folder.path() / "left").string();
  // It is in a session of its own before the service ends.
  InitProcess init(
      ScriptsTable({{"a",
                     "setsid sh -c 'touch " + left + "; exec sleep 30' & until test -e " + left +
                         "; do sleep 0.01; done; exit 4",
                     "restart never\nessential\n"}}),
      {});
  EXPECT_EQ(init.WaitForExit(), 4);
  EXPECT_EQ(init.Descendants().size(), 1u);
}

TEST(Supervisor, EndsTheProcessGroupOfAServiceThatEnded) {
  InitProcess init(ScriptsTable({{"a", "sleep 30 & echo left $!; exit 0", "restart never\n"}}), {});
  EXPECT_EQ(init.WaitForExit(), 0);
  pid_t left = std::stoi(init.output().substr(init.output().find("left ") + 5));
  for (int i = 0; i < 200 && Exists(left); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_FALSE(Exists(left));
}

TEST(Supervisor, MakesATokenOnceAndShowsItOnlyThere) {
  const std::string more = "token MY_TOKEN\nannounce at http://x/{token}\n";
  const std::string script = "echo len ${#MY_TOKEN}; exec sleep 60";
  InitProcess made(ScriptsTable({{"a", script, more}}), {});
  ASSERT_TRUE(made.WaitFor("at http://x/?token="));
  EXPECT_TRUE(made.WaitFor("[a] len 48"));

  InitProcess given(ScriptsTable({{"a", script, more}}), {}, {"MY_TOKEN=hush"});
  ASSERT_TRUE(given.WaitFor("at http://x/\n"));
  EXPECT_TRUE(given.WaitFor("[a] len 4"));
  EXPECT_THAT(given.output(), Not(HasSubstr("hush")));
}

TEST(Supervisor, AnnouncesPortsAsTheyArePublished) {
  const std::string more = "announce at {port 80}, {port 81}, {port x} and {port 82\n";
  const std::string table = ScriptsTable({{"a", "exec sleep 60", more}});
  InitProcess plain(table, {});
  EXPECT_TRUE(plain.WaitFor("at 80, 81, {port x} and {port 82\n"));
  InitProcess moved(table, {}, {"IMGBUILD_PORT_80=49152", "IMGBUILD_PORT_81=none"});
  EXPECT_TRUE(moved.WaitFor("at 49152, 81, {port x}"));
}

TEST(Supervisor, RunsACommandInsteadOfServices) {
  const std::string table = ScriptsTable({{"a", "echo service", ""}});
  InitProcess init(table, {"sh", "-c", "echo command; exit 7"});
  EXPECT_EQ(init.WaitForExit(), 7);
  EXPECT_EQ(init.output(), "command\n");
  InitProcess killed(table, {"sh", "-c", "kill -9 $$"});
  EXPECT_EQ(killed.WaitForExit(), 137);
  InitProcess missing(table, {"no-such-command"});
  EXPECT_EQ(missing.WaitForExit(), 127);
}

TEST(Supervisor, KillsACommandBesideServicesThatIgnoresItsEnd) {
  InitProcess init(
      ScriptsTable({{"a", "echo up; exec sleep 60", ""}}),
      {"--with-services", "sh", "-c", "trap '' TERM HUP; echo deaf; while :; do sleep 0.05; done"});
  ASSERT_TRUE(init.WaitFor("deaf"));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(std::chrono::seconds(20)), 137);
  EXPECT_THAT(init.output(), HasSubstr("the command did not stop in time"));
}

TEST(Supervisor, ACommandMayHaveAnyNumberOfWords) {
  std::vector<std::string> words = {"sh", "-c", "echo $# ${1000}", "sh"};
  for (int i = 1; i <= 1000; ++i) words.push_back("w" + std::to_string(i));
  InitProcess init("", words);
  EXPECT_EQ(init.WaitForExit(), 0);
  EXPECT_EQ(init.output(), "1000 w1000\n");
}

TEST(Supervisor, ForwardsSignalsToTheCommand) {
  InitProcess init("", {"sh", "-c",
                        "trap 'echo hup' HUP; trap 'exit 5' TERM; echo up; "
                        "while :; do sleep 0.01; done"});
  ASSERT_TRUE(init.WaitFor("up"));
  init.Signal(SIGHUP);
  ASSERT_TRUE(init.WaitFor("hup"));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 5);
}

TEST(Supervisor, WithServicesEndsThemWithTheCommand) {
  const std::string pid_file = testing::TempDir() + "/with_services.pid";
  InitProcess init(ScriptsTable({{"a", "echo $$ > " + pid_file + "; exec sleep 60", ""}}),
                   {"--with-services", "sh", "-c", "sleep 0.2; exit 6"});
  EXPECT_EQ(init.WaitForExit(), 6);
  pid_t service = 0;
  std::ifstream(pid_file) >> service;
  ASSERT_GT(service, 0);
  EXPECT_FALSE(Exists(service));
}

TEST(Supervisor, LosesNoLineOfALoudService) {
  InitProcess init(
      ScriptsTable({{"loud", "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done",
                     "restart never\n"}}),
      {});
  EXPECT_EQ(init.WaitForExit(), 0);
  EXPECT_THAT(init.output(), HasSubstr("[loud] line 19999\n"));
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = init.output().find("[loud] line ", at)) != std::string::npos;
       ++at) {
    ++lines;
  }
  EXPECT_EQ(lines, 20000u);
}

TEST(Supervisor, RefusesABrokenTable) {
  InitProcess init("imgbuild-services 2\nservice a\nend\n", {});
  EXPECT_EQ(init.WaitForExit(), 125);
  EXPECT_THAT(init.output(), HasSubstr("line 3: a service without exec"));
}

// What a shell started under the supervisor prints, as a uid that no passwd file knows.
std::string PrintAsUnknownUser(const std::string& settings, const std::string& script) {
  const std::string as_user =
      geteuid() == 0 ? "setpriv --reuid 54321 --regid 54321 --clear-groups " : "";
  const std::string command = fmt::format("env {} {}{} --table /nonexistent sh -c '{}'", settings,
                                          as_user, IMGBUILD_INIT, script);
  FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  char buffer[4096];
  while (std::size_t got = fread(buffer, 1, sizeof buffer, pipe)) text.append(buffer, got);
  pclose(pipe);
  return text;
}

TEST(UserEnvironment, FallsBackBelowTmpWhereHomeCannotBeWritten) {
  const std::string text = PrintAsUnknownUser(
      "HOME=/nonexistent IPYTHONDIR=/mine",
      "echo HOME=$HOME USER=$USER LOGNAME=$LOGNAME JR=$JUPYTER_RUNTIME_DIR IP=$IPYTHONDIR; "
      "test -w $HOME && echo writable; rm -r $HOME");
  if (geteuid() == 0) {
    EXPECT_EQ(text,
              "HOME=/tmp/home-54321 USER=user LOGNAME=user JR=/tmp/home-54321/jupyter-runtime "
              "IP=/mine\nwritable\n");
  } else {
    EXPECT_THAT(text, HasSubstr("writable"));
  }
}

TEST(UserEnvironment, KeepsAHomeThatCanBeWritten) {
  EXPECT_EQ(PrintAsUnknownUser("HOME=/tmp", "echo $HOME $JUPYTER_RUNTIME_DIR"), "/tmp\n");
}

}  // namespace
}  // namespace imgbuild::runtime
