// Readers that are slow, asleep or gone, and writers that never end: neither stops anybody.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/runtime/init_process.h"
#include "tests/runtime/scripts.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::runtime {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// Without showing megabytes where it is not so.
bool Said(const InitProcess& init, const std::string& text) {
  return init.output().find(text) != std::string::npos;
}

// Again and again, since the first may be among those that are not shown.
constexpr char kRepeats[] = "while :; do echo at last; sleep 0.1; done";

class Outputs : public testing::Test {
 protected:
  // Other users may write there.
  Outputs() { chmod(folder_.path().c_str(), 0777); }

  std::string Path(const std::string& name) { return (folder_.path() / name).string(); }
  bool WaitForFile(const std::string& name) {
    for (int i = 0; i < 2000 && !std::filesystem::exists(Path(name)); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return std::filesystem::exists(Path(name));
  }
  // Says much, more than all buffers on the way hold; then a file tells that all was written.
  std::string Loud() { return "seq 1 400000; touch " + Path("written") + "; exec sleep 100"; }

  // What outlives its service, in a session of its own. Once that has begun, the script goes on.
  std::string Left(const std::string& script) {
    return "setsid sh -c 'touch " + Path("left") + "; " + script + "' & until test -e " +
           Path("left") + "; do sleep 0.01; done; ";
  }

  // Nobody reads the terminal that the supervisor writes to: it goes on all the same.
  void LeaveATerminalUnread(InitSetup setup) {
    setup.terminal = true;
    InitProcess init(TableOf(Script("a", Loud())), {}, {}, setup);
    init.StopReading();
    EXPECT_TRUE(WaitForFile("written"));
    EXPECT_EQ(init.Ask({"health", "--ready"}).status, 0);
    init.Signal(SIGTERM);
    EXPECT_EQ(init.WaitForExit(), 0);
    EXPECT_THAT(init.Leftovers(), IsEmpty());
    init.ReadAgain();
    init.Poll();
    EXPECT_TRUE(Said(init, "[a]"));
  }

  support::TempFolder folder_;
};

TEST_F(Outputs, ATerminalThatNobodyReadsStopsNothing) { LeaveATerminalUnread({}); }

TEST_F(Outputs, NorDoesOneWithoutProc) {
  InitSetup setup;
  setup.without_proc = true;
  if (!IsPossible(setup)) GTEST_SKIP() << "nobody may unmount /proc here";
  LeaveATerminalUnread(setup);
}

TEST_F(Outputs, NorDoesOneThatMayNotBeOpenedAgain) {
  if (geteuid() != 0) GTEST_SKIP() << "only root has a terminal that others may not open";
  InitSetup setup;
  setup.uid = 65503;
  LeaveATerminalUnread(setup);
}

TEST_F(Outputs, NoServiceWaitsForAReaderThatSleeps) {
  // More than all buffers on the way hold; then a file says that all was written.
  char flag[] = "/tmp/imgbuild-log-test-XXXXXX";
  close(mkstemp(flag));
  unlink(flag);
  const std::string script = "seq 1 400000; touch " + std::string(flag) + "; while test -e " +
                             flag + "; do sleep 0.05; done; " + kRepeats;
  InitProcess init(TableOf(Script("a", script)), {});
  bool written = false;
  for (int i = 0; i < 1000 && !written; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    written = access(flag, F_OK) == 0;
  }
  EXPECT_TRUE(written);
  // The supervisor itself is well.
  EXPECT_EQ(init.Ask({"health", "--ready"}).status, 0);
  // Now it is read again: first what was kept, then how much was not.
  ASSERT_TRUE(init.WaitFor("[a] 1\n"));
  unlink(flag);
  ASSERT_TRUE(init.WaitFor("[a] at last"));
  EXPECT_TRUE(Said(init, "lines that are not shown: the log was read too slowly"));
  // The last lines are in the tail all the same.
  EXPECT_THAT(init.Ask({"logs", "a"}).output, HasSubstr("\n400000\nat last\n"));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

TEST_F(Outputs, NorForOneThatIsTooSlow) {
  // 15 MB; at most 400 kB of it are read in a second.
  constexpr std::size_t kFew = 4'000'000;
  InitProcess init(
      TableOf(Script("a", "seq 1 2000000; touch " + Path("written") + "; while test -e " +
                              Path("written") + "; do sleep 0.05; done; " + kRepeats)),
      {});
  while (init.output().size() < kFew && !std::filesystem::exists(Path("written"))) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    init.ReadUpTo(2000);
  }
  ASSERT_TRUE(std::filesystem::exists(Path("written"))) << init.output().size();
  std::filesystem::remove(Path("written"));
  ASSERT_TRUE(init.WaitFor("[a] at last"));
  EXPECT_TRUE(Said(init, "lines that are not shown: the log was read too slowly"));
}

TEST_F(Outputs, AWriterThatOutlivesItsServiceDoesNotKeepTheSupervisorBusy) {
  // Nobody reads, so that what it writes is dropped: there is always more, and always room.
  InitProcess init(
      TableOf(Script("a", "seq 1 400000; " + Left("exec yes \"\"") + "exit 3", "restart never\n") +
              Script("b", kStays)),
      {});
  init.StopReading();
  ASSERT_TRUE(WaitForFile("left"));
  std::string status;
  for (int i = 0; i < 500 && status.find("done") == std::string::npos; ++i) {
    const InitProcess::Asked asked = init.Ask({"status"});
    ASSERT_EQ(asked.status, 0) << asked.output;
    status = asked.output;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_THAT(status, HasSubstr("done"));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

TEST_F(Outputs, WhatOutlivesOneStartAndTheNextStartAreBothRead) {
  std::ofstream(Path("alive")) << "";
  const std::string old = "while test -e " + Path("alive") + "; do echo old; sleep 0.05; done";
  InitProcess init(
      TableOf(Script("a", "test -e " + Path("ran") + " && { echo new; exec sleep 100; }; touch " +
                              Path("ran") + "; " + Left(old) + "exit 1")),
      {});
  ASSERT_TRUE(init.WaitFor("[a] new\n"));
  const std::size_t before = init.output().size();
  for (int i = 0; i < 500 && init.output().find("[a] old\n", before) == std::string::npos; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    init.Poll();
  }
  EXPECT_NE(init.output().find("[a] old\n", before), std::string::npos);
  EXPECT_EQ(init.Ask({"health", "--ready"}).status, 0);
  std::filesystem::remove(Path("alive"));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
  EXPECT_THAT(init.Leftovers(), IsEmpty());
}

TEST_F(Outputs, ASlowReaderDoesNotStretchTheStopWithoutBound) {
  // Two seconds of this reader are far less than what is pending then.
  InitProcess init(TableOf(Script("a", Loud())), {});
  ASSERT_TRUE(WaitForFile("written"));
  init.Signal(SIGTERM);
  std::size_t reads = 0;
  init.StopReading();
  while (init.WaitForExit(std::chrono::milliseconds(50)) == -1 && reads < 200) {
    init.ReadUpTo(1000);
    ++reads;
  }
  EXPECT_LT(reads, 200u);
}

TEST_F(Outputs, BesideACommandServicesHaveBoundedFilesAndATail) {
  const std::string name = "loud" + std::to_string(getpid());
  const std::string log = "/tmp/imgbuild-log/" + name + ".log";
  InitProcess init(TableOf(Script(name, "seq 1 3000000; printf 'at last'; touch " +
                                            Path("written") + "; exec sleep 100")),
                   {"--with-services", "sh", "-c", "echo here; exec sleep 100"});
  ASSERT_TRUE(init.WaitFor("here"));
  ASSERT_TRUE(WaitForFile("written"));
  std::string tail;
  for (int i = 0; i < 1000 && tail.find("\n3000000\n") == std::string::npos; ++i) {
    tail = init.Ask({"logs", name}).output;
  }
  EXPECT_THAT(tail, HasSubstr("\n3000000\n"));
  init.Signal(SIGTERM);
  init.WaitForExit();
  EXPECT_FALSE(Said(init, "3000000"));
  // 23 MB were written; what is there are its last lines, in order, of which none is cut.
  EXPECT_LE(std::filesystem::file_size(log), 4u << 20);
  EXPECT_LE(std::filesystem::file_size(log + ".1"), 4u << 20);
  std::size_t next = 0;
  std::string line;
  for (const std::string& file : {log + ".1", log}) {
    std::ifstream lines(file);
    while (std::getline(lines, line) && line != "at last") {
      ASSERT_TRUE(next == 0 || std::stoul(line) == next) << line;
      next = std::stoul(line) + 1;
    }
    unlink(file.c_str());
  }
  EXPECT_EQ(next, 3'000'001u);
  EXPECT_EQ(line, "at last");
}

// Writes lines of 100 bytes, 25 MB of them in each of two seconds, by the clock; then tells how far
// it was behind at most.
constexpr char kPacedWriter[] = R"(
import os, sys, time
behind, start = 0.0, time.monotonic()
for i in range(200):
    numbers = range(i * 2500, (i + 1) * 2500)
    text = ''.join('%09d %s\n' % (n, 'x' * 89) for n in numbers).encode()
    early = start + i * 0.01 - time.monotonic()
    if early > 0: time.sleep(early)
    behind = max(behind, -early)
    while text: text = text[os.write(1, text):]
open(sys.argv[1], 'w').write('%.3f' % behind)
)";

TEST_F(Outputs, LoseNothingOfTwoServicesThatWriteFiftyMegabytesASecond) {
  constexpr std::size_t kLines = 500'000;
  std::ofstream(Path("writer.py")) << kPacedWriter;
  std::string services;
  for (const std::string name : {"one", "two"}) {
    services +=
        Script(name, "exec python3 " + Path("writer.py") + " " + Path(name), "restart never\n");
  }
  InitProcess init(TableOf(services), {});
  ASSERT_EQ(init.WaitForExit(std::chrono::seconds(120)), 0);
  EXPECT_FALSE(Said(init, "not shown"));
  for (const std::string name : {"one", "two"}) {
    std::size_t next = 0;
    const std::string prefix = "[" + name + "] ";
    for (std::size_t at = 0; (at = init.output().find(prefix, at)) != std::string::npos; ++next) {
      at += prefix.size();
      ASSERT_EQ(std::stoul(init.output().substr(at, 9)), next) << name;
    }
    EXPECT_EQ(next, kLines) << name;
    std::string behind;
    std::ifstream(Path(name)) >> behind;
    RecordProperty("seconds_behind_" + name, behind);
  }
}

}  // namespace
}  // namespace imgbuild::runtime
