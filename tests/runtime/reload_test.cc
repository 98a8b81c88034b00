// Changing the table of a supervisor that runs.
#include <chrono>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/runtime/init_process.h"
#include "tests/runtime/scripts.h"

namespace imgbuild::runtime {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const char kSaysItsPid[] = "echo pid $$; exec sleep 100";

// What `name` said last after "pid ".
std::string PidOf(const InitProcess& init, const std::string& name) {
  const std::string key = "[" + name + "] pid ";
  const std::size_t at = init.output().rfind(key);
  if (at == std::string::npos) return "";
  return init.output().substr(at + key.size(), init.output().find('\n', at) - at - key.size());
}

bool IsAlive(const std::string& pid) { return kill(std::stoi(pid), 0) == 0; }

TEST(Reload, StartsWhatIsNewEndsWhatIsGoneAndLeavesTheRest) {
  InitProcess init(TableOf(Script("stays", kSaysItsPid) + Script("goes", kSaysItsPid) +
                           Script("changes", kSaysItsPid)),
                   {});
  for (const char* name : {"stays", "goes", "changes"}) {
    ASSERT_TRUE(init.WaitFor("[" + std::string(name) + "] pid "));
  }
  const std::string stays = PidOf(init, "stays");
  const std::string goes = PidOf(init, "goes");
  const std::string changes = PidOf(init, "changes");
  init.ChangeTable(TableOf(Script("new", kSaysItsPid) + Script("stays", kSaysItsPid) +
                           Script("changes", kSaysItsPid, "env A=1\nafter new\n")));
  init.Signal(SIGHUP);
  ASSERT_TRUE(init.WaitFor("reloaded: 3 services, of which 1 run on"));
  ASSERT_TRUE(init.WaitFor("[new] pid "));
  for (int i = 0; i < 500 && PidOf(init, "changes") == changes; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    init.Poll();
  }
  EXPECT_NE(PidOf(init, "changes"), changes);
  EXPECT_FALSE(IsAlive(goes));
  EXPECT_TRUE(IsAlive(stays));
  EXPECT_EQ(PidOf(init, "stays"), stays);
  EXPECT_THAT(init.Ask({"status"}).output,
              AllOf(HasSubstr("new "), HasSubstr("stays "), Not(HasSubstr("goes "))));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
  EXPECT_FALSE(IsAlive(stays));
}

TEST(Reload, ATableThatIsWrongChangesNothing) {
  InitProcess init(TableOf(Script("a", kSaysItsPid)), {});
  ASSERT_TRUE(init.WaitFor("[a] pid "));
  init.ChangeTable("imgbuild-services 2\nservice a\nexec\nend\nnonsense\n");
  const InitProcess::Asked asked = init.Ask({"reload"});
  EXPECT_EQ(asked.status, 1);
  EXPECT_THAT(asked.output, HasSubstr("nothing is reloaded"));
  EXPECT_TRUE(init.WaitFor("line 5: unknown key"));
  init.ChangeTable(TableOf(""));
  init.Signal(SIGHUP);
  EXPECT_TRUE(init.WaitFor("the table has no services"));
  EXPECT_TRUE(IsAlive(PidOf(init, "a")));
}

TEST(Reload, ManyTimesOver) {
  const auto table = [](int i) {
    return TableOf(Script("fixed", kSaysItsPid) + Script("turn" + std::to_string(i % 3), kStays,
                                                         "env I=" + std::to_string(i) + "\n"));
  };
  InitProcess init(table(0), {});
  ASSERT_TRUE(init.WaitFor("[fixed] pid "));
  const std::string pid = PidOf(init, "fixed");
  for (int i = 1; i <= 40; ++i) {
    init.ChangeTable(table(i));
    InitProcess::Asked asked;
    // Refused while the one before waits for a service to end.
    for (int k = 0; k < 1000 && asked.status != 0; ++k) {
      asked = init.Ask({"reload"});
      init.Poll();
    }
    ASSERT_EQ(asked.status, 0) << asked.output;
  }
  EXPECT_TRUE(IsAlive(pid));
  ASSERT_EQ(init.Ask({"logs", "fixed"}).output, "pid " + pid + "\n");
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
}

TEST(Reload, WaitsForAServiceThatEndsSlowlyAndGivesWayToAStop) {
  const std::string slow = "trap 'sleep 1; exit 0' TERM; echo up; while :; do sleep 0.05; done";
  InitProcess init(TableOf(Script("slow", slow) + Script("other", kStays)), {});
  ASSERT_TRUE(init.WaitFor("[slow] up"));
  init.ChangeTable(TableOf(Script("other", kStays) + Script("late", "echo late")));
  EXPECT_EQ(init.Ask({"reload"}).status, 0);
  EXPECT_THAT(init.Ask({"reload"}).output, HasSubstr("still waits"));
  init.Signal(SIGTERM);
  EXPECT_EQ(init.WaitForExit(), 0);
  EXPECT_THAT(init.output(), Not(HasSubstr("[late]")));
}

TEST(Reload, IsNotForServicesBesideACommand) {
  InitProcess init(TableOf(Script("a", kStays)), {"--with-services", "sh", "-c",
                                                  "trap 'echo hung up' HUP; echo here; "
                                                  "while :; do sleep 0.05; done"});
  ASSERT_TRUE(init.WaitFor("here"));
  init.Signal(SIGHUP);
  EXPECT_TRUE(init.WaitFor("hung up"));
}

}  // namespace
}  // namespace imgbuild::runtime
