#include "builder/net/retry.h"

#include <gtest/gtest.h>

namespace imgbuild::builder {
namespace {

TEST(Backoff, DoublesWithJitterUpToALimit) {
  EXPECT_EQ(BackoffMs(2, 200, 0.5), 200u);
  EXPECT_EQ(BackoffMs(3, 200, 0.5), 400u);
  EXPECT_EQ(BackoffMs(3, 200, 0.0), 200u);
  EXPECT_EQ(BackoffMs(60, 200, 0.9), 30'000u);
}

TEST(RetryAfter, ReadsSecondsOnly) {
  EXPECT_EQ(RetryAfterMs(" 2 "), 2'000u);
  EXPECT_EQ(RetryAfterMs("86400"), 60'000u);
  EXPECT_EQ(RetryAfterMs(""), 0u);
  EXPECT_EQ(RetryAfterMs("Wed, 21 Oct 2026 07:28:00 GMT"), 0u);
}

TEST(TransientStatus, AreThoseThatMayPass) {
  for (int status : {408, 425, 429, 500, 502, 503, 504}) EXPECT_TRUE(IsTransientStatus(status));
  for (int status : {200, 301, 400, 401, 403, 404, 416, 501})
    EXPECT_FALSE(IsTransientStatus(status));
}

}  // namespace
}  // namespace imgbuild::builder
