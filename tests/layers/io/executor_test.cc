#include "layers/io/executor.h"

#include <atomic>
#include <string>

#include <gtest/gtest.h>

#include "layers/io/ordered_work.h"

namespace imgbuild::layers {
namespace {

std::string SquaresInOrder(Executor& executor) {
  OrderedWork<int> work(executor);
  std::string text;
  for (int i = 0; i < 100; ++i) {
    while (work.full()) text += std::to_string(work.Take()) + ",";
    work.Start([i] { return i * i; });
  }
  while (work.pending() > 0) text += std::to_string(work.Take()) + ",";
  return text;
}

TEST(OrderedWork, ResultsComeInOrderWhereverTheyAreMade) {
  InlineExecutor here;
  ThreadExecutor one(1);
  ThreadExecutor four(4);
  std::string expected = SquaresInOrder(here);
  EXPECT_TRUE(expected.starts_with("0,1,4,9,"));
  EXPECT_EQ(SquaresInOrder(one), expected);
  EXPECT_EQ(SquaresInOrder(four), expected);
}

TEST(OrderedWork, WorkInsideWorkOnTheSameExecutorEnds) {
  ThreadExecutor executor(1);
  OrderedWork<std::string> outer(executor);
  for (int i = 0; i < 4; ++i) outer.Start([&executor] { return SquaresInOrder(executor); });
  std::string first = outer.Take();
  while (outer.pending() > 0) EXPECT_EQ(outer.Take(), first);
}

TEST(OrderedWork, TakeThrowsWhatTheWorkThrew) {
  ThreadExecutor executor(2);
  OrderedWork<int> work(executor);
  work.Start([]() -> int { throw std::string("failed"); });
  work.Start([] { return 2; });
  EXPECT_THROW(work.Take(), std::string);
  EXPECT_EQ(work.Take(), 2);
}

TEST(OrderedWork, DestroyedWorkNeverTouchesWhatItBorrowed) {
  ThreadExecutor executor(2);
  for (int round = 0; round < 50; ++round) {
    auto borrowed = std::make_unique<std::atomic<int>>(0);
    {
      OrderedWork<int> work(executor);
      for (int i = 0; i < 8; ++i) work.Start([&borrowed] { return ++*borrowed; });
    }
    borrowed.reset();
  }
}

}  // namespace
}  // namespace imgbuild::layers
