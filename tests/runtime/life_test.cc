// What services wait for, how they are found to be well, and what comes of it when they are not.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/runtime/init_process.h"
#include "tests/runtime/scripts.h"
#include "tests/support/free_port.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::runtime {
namespace {

using testing::HasSubstr;
using testing::Not;

std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(Life, OneshotsEndBeforeWhatComesAfterThem) {
  InitProcess init(TableOf(Script("setup", "sleep 0.2; echo prepared", "type oneshot\n") +
                           Script("web", kStays, "after setup\n")),
                   {});
  ASSERT_TRUE(init.WaitFor("[web] up"));
  EXPECT_LT(init.output().find("[setup] prepared"), init.output().find("[web] up"));
  EXPECT_EQ(init.Ask({"health", "--ready"}).status, 0);
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

TEST(Life, AOneshotThatFailsEndsTheContainerWithItsStatus) {
  InitProcess init(TableOf(Script("setup", "exit 7", "type oneshot\nrestart never\n") +
                           Script("web", kStays, "after setup\n") + Script("other", kStays)),
                   {});
  EXPECT_EQ(init.WaitForExit(), 7);
  EXPECT_THAT(init.output(), Not(HasSubstr("[web] up")));
}

TEST(Life, AOneshotIsTriedAgainByItsPolicy) {
  const support::TempFolder folder;
  const std::string once = "test -e " + (folder.path() / "ran").string() + " && exit 0; touch " +
                           (folder.path() / "ran").string() + "; exit 1";
  InitProcess init(TableOf(Script("setup", once, "type oneshot\nrestart on-failure\n") +
                           Script("web", kStays, "after setup\n")),
                   {});
  EXPECT_TRUE(init.WaitFor("[web] up"));
  EXPECT_THAT(init.output(), HasSubstr("setup exited with status 1, starting again in 250 ms"));
}

TEST(Life, AJobThatFailsKeepsNothingFromStarting) {
  InitProcess init(TableOf(Script("warm", "exit 3", "type job\nrestart never\n") +
                           Script("web", kStays, "after warm\n")),
                   {});
  ASSERT_TRUE(init.WaitFor("[web] up"));
  EXPECT_THAT(init.output(), HasSubstr("warm exited with status 3"));
  EXPECT_EQ(init.Ask({"health", "--ready"}).status, 0);
  EXPECT_EQ(init.Ask({"health", "--live"}).status, 0);
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

TEST(Life, WhatComesAfterAServiceThatFailedForGoodDoesNotStart) {
  InitProcess init(
      TableOf(Script("db", "exit 4", "ready delay 60000\nrestart never\n") +
              Script("web", "echo web", "after db\n") + Script("more", "echo more", "after web\n")),
      {});
  // Not one is left, so it ends instead of waiting for ever.
  EXPECT_EQ(init.WaitForExit(), 4);
  EXPECT_THAT(init.output(), HasSubstr("web does not start: db failed"));
  EXPECT_THAT(init.output(), HasSubstr("more does not start: web failed"));
  EXPECT_THAT(init.output(), Not(HasSubstr("[web]")));
}

TEST(Life, IsReadyAfterADelay) {
  InitProcess init(TableOf(Script("slow", "echo slow; exec sleep 100", "ready delay 400\n") +
                           Script("web", "echo web; exec sleep 100", "after slow\n")),
                   {});
  ASSERT_TRUE(init.WaitFor("[slow] slow"));
  EXPECT_THAT(init.Ask({"status"}).output, HasSubstr("starting"));
  EXPECT_TRUE(init.WaitFor("[web] web"));
}

TEST(Life, ACommandSaysWhenItIsReady) {
  const support::TempFolder folder;
  const std::string flag = (folder.path() / "flag").string();
  InitProcess init(TableOf(Script("db", "cd /; echo up; exec sleep 100",
                                  "env FLAG=" + flag +
                                      "\nready exec 30000\nready-exec sh\nready-exec -c\n"
                                      "ready-exec echo asked; test -e $FLAG\n") +
                           Script("web", "echo started; exec sleep 100", "after db\n")),
                   {});
  ASSERT_TRUE(init.WaitFor("[db] up"));
  EXPECT_EQ(init.Ask({"health", "--ready"}).status, 1);
  std::ofstream(flag) << "";
  EXPECT_TRUE(init.WaitFor("[web] started"));
  // What probes say is not the service's.
  EXPECT_THAT(init.output(), Not(HasSubstr("asked")));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

TEST(Life, AServiceThatNoLongerAnswersIsEndedAndStartedAgain) {
  const support::TempFolder folder;
  const std::string sick = (folder.path() / "sick").string();
  // The first run turns sick; later ones are well. TERM ends it with 0, which is a failure here.
  const std::string script = "trap 'rm -f " + sick + "; exit 0' TERM; echo run; " + "test -e " +
                             sick + ".ran || touch " + sick + " " + sick + ".ran; " +
                             "while :; do sleep 0.05; done";
  InitProcess init(TableOf(Script("web", script,
                                  "live exec 50 5000 3\nlive-exec sh\nlive-exec -c\nlive-exec "
                                  "test ! -e " +
                                      sick + "\nrestart on-failure\n")),
                   {});
  ASSERT_TRUE(init.WaitFor("web does not answer any more"));
  ASSERT_TRUE(init.WaitFor("starting again in 250 ms"));
  for (int i = 0; i < 500 && Count(init.output(), "[web] run") < 2; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    init.Poll();
  }
  EXPECT_EQ(Count(init.output(), "[web] run"), 2u);
  EXPECT_EQ(Count(init.output(), "does not answer"), 1u);
}

TEST(Life, AProbeThatHangsCountsAsNoAnswer) {
  InitProcess init(TableOf(Script("web", kStays,
                                  "live exec 20 100 2\nlive-exec sh\nlive-exec -c\n"
                                  "live-exec sleep 100\nrestart never\n")),
                   {});
  EXPECT_EQ(init.WaitForExit(), 143);
  EXPECT_THAT(init.output(), HasSubstr("web does not answer any more"));
}

TEST(Life, APortThatIsNoLongerServedIsNoAnswer) {
  const std::string port = std::to_string(support::FreePort());
  const std::string script = "python3 -m http.server --bind 127.0.0.1 " + port +
                             " >/dev/null 2>&1 & server=$!; sleep 1; kill $server; exec sleep 100";
  InitProcess init(TableOf(Script("web", script,
                                  "ready http " + port + " 10000 /\nlive http " + port +
                                      " 50 1000 2 /\nrestart never\nannounce web is up\n")),
                   {});
  ASSERT_TRUE(init.WaitFor("web is up"));
  EXPECT_EQ(init.WaitForExit(), 143);
}

TEST(Life, GivesUpAfterAsManyFailuresAsItIsTold) {
  InitProcess init(TableOf(Script("web", "echo run; exit 5", "restart on-failure 2\n")), {});
  EXPECT_EQ(init.WaitForExit(), 5);
  EXPECT_EQ(Count(init.output(), "[web] run"), 2u);
  EXPECT_THAT(init.output(), HasSubstr("web failed too often, giving up"));
}

}  // namespace
}  // namespace imgbuild::runtime
