// What services wait for, how they are found to be well, and what comes of it when they are not.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/runtime/init_process.h"
#include "tests/runtime/scripts.h"
#include "tests/support/free_port.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::runtime {
namespace {

using testing::ElementsAre;
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

TEST(Life, APortThatIsServedIsReadyAndOneThatIsNotIsNoAnswer) {
  const support::TempFolder folder;
  const std::string flag = (folder.path() / "flag").string();
  const std::string port = std::to_string(support::FreePort());
  const std::string script = "sleep 0.3; echo listening; python3 -m http.server --bind 127.0.0.1 " +
                             port + " >/dev/null 2>&1 & server=$!; until test -e " + flag +
                             "; do sleep 0.05; done; kill $server; exec sleep 100";
  InitProcess init(TableOf(Script("web", script,
                                  "ready tcp " + port + " 10000\nlive tcp " + port +
                                      " 50 1000 2\nrestart never\n") +
                           Script("client", "echo started; exec sleep 100", "after web\n")),
                   {});
  ASSERT_TRUE(init.WaitFor("[client] started"));
  EXPECT_LT(init.output().find("[web] listening"), init.output().find("[client] started"));
  EXPECT_THAT(init.Ask({"status"}).output, HasSubstr("web                  ready"));
  std::ofstream(flag) << "";
  EXPECT_TRUE(init.WaitFor("web does not answer any more"));
  EXPECT_TRUE(init.WaitFor("web was killed by signal 15"));
}

TEST(Life, WhatEndsWellIsStartedAlwaysAndNotGivenUp) {
  InitProcess init(TableOf(Script("web", "echo run; exit 0", "restart always 2\n")), {});
  ASSERT_TRUE(init.WaitFor("starting again in 1000 ms"));
  // It waits a little longer each time all the same.
  EXPECT_THAT(init.output(), HasSubstr("starting again in 250 ms"));
  EXPECT_EQ(Count(init.output(), "[web] run"), 3u);
  EXPECT_THAT(init.output(), Not(HasSubstr("giving up")));
}

TEST(Life, AnEndThatWasNoFailureForgetsFailures) {
  const support::TempFolder folder;
  const std::string ends = (folder.path() / "ends").string();
  // Fails, is well, and fails for good.
  const std::string script = "echo run >>" + ends + "; test $(wc -l <" + ends + ") = 2";
  InitProcess init(TableOf(Script("web", script, "restart always 2\n")), {});
  EXPECT_EQ(init.WaitForExit(), 1);
  EXPECT_EQ(Count(init.output(), "exited with status 1"), 3u);
}

TEST(Life, TenSecondsOfHealthForgetFailures) {
  const support::TempFolder folder;
  const std::string ends = (folder.path() / "ends").string();
  const std::string script =
      "echo run >>" + ends + "; test $(wc -l <" + ends + ") = 3 && sleep 10.2; exit 1";
  InitProcess init(TableOf(Script("web", script, "restart on-failure 4\n")), {});
  ASSERT_TRUE(init.WaitFor("giving up", std::chrono::seconds(60)));
  std::vector<std::string> waits;
  const std::string key = "starting again in ";
  for (std::size_t at = 0; (at = init.output().find(key, at)) != std::string::npos;) {
    at += key.size();
    waits.push_back(init.output().substr(at, init.output().find(' ', at) - at));
  }
  EXPECT_THAT(waits, ElementsAre("250", "500", "250", "500", "1000"));
  EXPECT_EQ(init.WaitForExit(), 1);
}

TEST(Life, GivesUpAfterAsManyFailuresAsItIsTold) {
  InitProcess init(TableOf(Script("web", "echo run; exit 5", "restart on-failure 2\n")), {});
  EXPECT_EQ(init.WaitForExit(), 5);
  EXPECT_EQ(Count(init.output(), "[web] run"), 2u);
  EXPECT_THAT(init.output(), HasSubstr("web failed too often, giving up"));
}

}  // namespace
}  // namespace imgbuild::runtime
