#include "builder/host/program.h"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layers/io/file.h"
#include "specs/base/error.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

ProgramRun Shell(const std::string& script) { return {.words = {"sh", "-c", script}}; }

TEST(Program, GivesOutputAndStatus) {
  const ProgramAnswer answer = RunProgram(Shell("echo out; exit 3"));
  EXPECT_EQ(answer.output, "out\n");
  EXPECT_EQ(answer.status, 3);
  EXPECT_EQ(RunProgram(Shell("kill -9 $$")).status, 137);
}

TEST(Program, WorksWhereItIsTold) {
  EXPECT_EQ(RunProgram({.words = {"pwd"}, .input = {}, .folder = "/usr"}).output, "/usr\n");
  EXPECT_THROW(RunProgram({.words = {"pwd"}, .input = {}, .folder = "/no/such"}), specs::Error);
}

TEST(Program, ReadsItsInputOrNot) {
  EXPECT_EQ(RunProgram({.words = {"cat"}, .input = "hello"}).output, "hello");
  EXPECT_EQ(RunProgram({.words = {"true"}, .input = "nobody reads this"}).status, 0);
}

TEST(Program, MoreOutputThanIsWantedIsReadAndDropped) {
  const ProgramAnswer answer = RunProgram(
      {.words = {"sh", "-c", "head -c 3000000 /dev/zero"}, .input = "", .most_output = 7});
  EXPECT_EQ(answer.output.size(), 7u);
  EXPECT_EQ(answer.status, 0);
}

TEST(Program, OneThatDoesNotEndIsKilled) {
  for (const char* script : {"exec sleep 600", "exec sleep 600 >&-", "sleep 2 & echo x"}) {
    ProgramRun run = Shell(script);
    run.patience = std::chrono::milliseconds(200);
    EXPECT_THROW(RunProgram(run), specs::Error) << script;
  }
  ProgramRun quick = Shell("echo quick");
  quick.patience = std::chrono::minutes(1);
  EXPECT_EQ(RunProgram(quick).output, "quick\n");
}

TEST(Program, KeepsItsErrorsToItselfWhereTheyAreNotWanted) {
  for (const bool mute : {false, true}) {
    testing::internal::CaptureStderr();
    RunProgram({.words = {"sh", "-c", "echo complaint >&2"}, .input = {}, .mute = mute});
    EXPECT_EQ(testing::internal::GetCapturedStderr(), mute ? "" : "complaint\n");
  }
}

TEST(Program, OneThatIsMissingIsAnError) {
  EXPECT_THROW(RunProgram({.words = {"no-such-program-here"}}), specs::Error);
  EXPECT_THROW(BecomeProgram({"no-such-program-here"}), specs::Error);
}

// Of "SigBlk:\t0000000000004002" and the like in /proc/self/status, whether `number` is set.
bool Has(const std::string& status, const std::string& name, int number) {
  const std::string mask = status.substr(status.find(name + ":\t") + name.size() + 2, 16);
  return (std::stoull(mask, nullptr, 16) >> (number - 1) & 1) != 0;
}

// This program blocks and ignores signals of its own; others get them as from a shell.
TEST(Program, GetsSignalsAsAShellGivesThem) {
  sigset_t interrupt;
  sigset_t before;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  pthread_sigmask(SIG_BLOCK, &interrupt, &before);
  const auto pipe_before = std::signal(SIGPIPE, SIG_IGN);
  const std::string spawned = RunProgram({.words = {"cat", "/proc/self/status"}}).output;
  EXPECT_FALSE(Has(spawned, "SigBlk", SIGINT));
  EXPECT_FALSE(Has(spawned, "SigIgn", SIGPIPE));

  const support::TempFolder folder;
  const std::string file = folder.path() / "status";
  const pid_t child = fork();
  if (child == 0) BecomeProgram({"cp", "/proc/self/status", file});
  waitpid(child, nullptr, 0);
  const std::string became = layers::ReadFile(file, 1u << 20);
  EXPECT_FALSE(Has(became, "SigBlk", SIGINT));
  EXPECT_FALSE(Has(became, "SigIgn", SIGPIPE));
  std::signal(SIGPIPE, pipe_before);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST(Program, BesideUsSaysWhatItSays) {
  ProgramBeside program({"sh", "-c", "echo one; read line; echo two; ps -o pgid= -p $$"});
  std::string text;
  for (std::string more = program.Read(); !more.empty(); more = program.Read()) text += more;
  EXPECT_TRUE(text.starts_with("one\ntwo\n")) << text;
  EXPECT_NE(std::stoi(text.substr(8)), getpgrp());
}

TEST(Program, BesideUsEndsWithUs) {
  pid_t child = 0;
  {
    ProgramBeside program({"sh", "-c", "echo $$; exec sleep 600"});
    child = std::stoi(program.Read());
    EXPECT_EQ(kill(child, 0), 0);
  }
  EXPECT_NE(kill(child, 0), 0);
  EXPECT_THROW(ProgramBeside({"/nonexistent/program"}), specs::Error);
}

TEST(Program, ForgottenRunsOn) {
  const support::TempFolder folder;
  const std::string file = folder.path() / "made";
  StartAndForget({"sh", "-c", "echo x >" + file});
  for (int i = 0; i < 500 && !std::filesystem::exists(file); ++i) usleep(10'000);
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_THROW(StartAndForget({"/nonexistent/program"}), specs::Error);
}

}  // namespace
}  // namespace imgbuild::builder
