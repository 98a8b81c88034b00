#include "layers/io/hashing.h"

#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/support/faulty_stream.h"

namespace imgbuild::layers {
namespace {

TEST(HashingSource, DigestsAndCountsWhatPasses) {
  MemorySource memory("some bytes");
  support::SlowSource slow(memory, 3);
  HashingSource hashing(slow);
  EXPECT_EQ(ReadAll(hashing), "some bytes");
  EXPECT_EQ(hashing.count(), 10u);
  EXPECT_EQ(hashing.Finish(), specs::HashOf("some bytes"));
}

TEST(HashingSink, DoesNotCountWhatTheSinkRefused) {
  StringSink text;
  support::FaultySink faulty(text, 4);
  HashingSink hashing(faulty);
  hashing.Write("1234");
  EXPECT_THROW(hashing.Write("5"), specs::Error);
  EXPECT_EQ(hashing.count(), 4u);
  EXPECT_EQ(hashing.Finish(), specs::HashOf("1234"));
}

TEST(BoundedSource, ThrowsOnlyPastTheLimit) {
  MemorySource exact("12345");
  BoundedSource within(exact, 5, "the index");
  EXPECT_EQ(ReadAll(within), "12345");
  MemorySource more("123456");
  BoundedSource beyond(more, 5, "the index");
  EXPECT_THROW(ReadAll(beyond), specs::Error);
}

}  // namespace
}  // namespace imgbuild::layers
