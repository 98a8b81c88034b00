#include "builder/assemble/work_group.h"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using layers::ThreadExecutor;
using specs::Error;

TEST(WorkGroup, WaitsForNestedTasks) {
  ThreadExecutor executor(3);
  std::atomic<int> done = 0;
  WorkGroup group(executor);
  for (int i = 0; i < 20; ++i) {
    group.Add([&] {
      for (int j = 0; j < 5; ++j) group.Add([&] { ++done; });
    });
  }
  group.Wait();
  EXPECT_EQ(done, 100);
  EXPECT_FALSE(group.failed());
}

TEST(WorkGroup, WaitEndsAtOnceWithNothingToDo) {
  ThreadExecutor executor(1);
  WorkGroup group(executor);
  group.Wait();
}

TEST(WorkGroup, PassesOverWhatHasNotBegunAfterAFailure) {
  ThreadExecutor executor(1);  // tasks run in order
  std::atomic<int> done = 0;
  WorkGroup group(executor);
  std::atomic<bool> go = false;
  group.Add([&] {
    go.wait(false);
    throw Error("the first");
  });
  for (int i = 0; i < 10; ++i) group.Add([&] { ++done; });
  go = true;
  go.notify_all();
  try {
    group.Wait();
    FAIL() << "no failure";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("the first"), std::string::npos);
  }
  EXPECT_EQ(done, 0);
  EXPECT_TRUE(group.failed());
}

TEST(WorkGroup, RethrowsTheFirstOfSeveralFailures) {
  ThreadExecutor executor(2);
  WorkGroup group(executor);
  group.Expect();
  group.Expect();
  group.Fail(std::make_exception_ptr(std::runtime_error("one")));
  group.Fail(std::make_exception_ptr(std::runtime_error("two")));
  try {
    group.Wait();
    FAIL() << "no failure";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "one");
  }
}

TEST(WorkGroup, WaitsForWhatIsDoneElsewhere) {
  ThreadExecutor executor(1);
  std::atomic<bool> after = false;
  WorkGroup group(executor);
  group.Expect();
  std::thread outside([&] {
    group.Add([&] { after = true; });
    group.Done();
  });
  group.Wait();
  outside.join();
  EXPECT_TRUE(after);
}

TEST(WorkGroup, DestructionWaitsForTasksThatRun) {
  ThreadExecutor executor(2);
  std::atomic<bool> began = false;
  std::atomic<bool> ended = false;
  {
    WorkGroup group(executor);
    group.Add([&] {
      began = true;
      began.notify_all();
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      ended = true;
    });
    began.wait(false);
  }
  EXPECT_TRUE(ended);
}

// Waiting for a task that was never taken would be for ever.
TEST(WorkGroup, AnExecutorThatTakesNothingIsNotWaitedFor) {
  class Full : public layers::Executor {
   public:
    void Start(std::function<void()>) override { throw Error("no room"); }
    std::size_t width() const override { return 1; }
  } executor;
  WorkGroup group(executor);
  EXPECT_THROW(group.Add([] {}), Error);
  group.Wait();
}

}  // namespace
}  // namespace imgbuild::builder
