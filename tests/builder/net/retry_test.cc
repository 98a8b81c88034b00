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

TEST(RetryAfter, ReadsSeconds) {
  EXPECT_EQ(RetryAfterMs(" 2 "), 2'000u);
  EXPECT_EQ(RetryAfterMs("120"), 120'000u);
  EXPECT_EQ(RetryAfterMs("86400"), 86'400'000u);
  EXPECT_EQ(RetryAfterMs("18446744073709551615"), 31'536'000'000u);
  EXPECT_EQ(RetryAfterMs(""), 0u);
  EXPECT_EQ(RetryAfterMs("-1"), 0u);
}

TEST(RetryAfter, ReadsDates) {
  using std::chrono::sys_days;
  using namespace std::chrono_literals;
  const auto now = sys_days(2026y / std::chrono::October / 21) + 7h + 28min;
  EXPECT_EQ(RetryAfterMs("Wed, 21 Oct 2026 07:29:30 GMT", now), 90'000u);
  EXPECT_EQ(RetryAfterMs(" Thu, 22 Oct 2026 07:28:00 GMT", now), 86'400'000u);
  EXPECT_EQ(RetryAfterMs("Fri, 31 Dec 9999 23:59:59 GMT", now), 31'536'000'000u);
  for (const char* past : {"Wed, 21 Oct 2026 07:28:00 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(RetryAfterMs(past, now), 0u) << past;
  }
  for (const char* none : {"Wed, 21 Oct 2026 07:29:30", "Wed, 32 Oct 2026 07:29:30 GMT",
                           "Wed, 21 Okt 2026 07:29:30 GMT", "Wed, 21 Oct 2026 24:29:30 GMT",
                           "Mon, 31 Nov 2026 07:29:30 GMT", "Wed, 21 Oct 2026 07:29 GMT"}) {
    EXPECT_EQ(ParseHttpDate(none), std::nullopt) << none;
    EXPECT_EQ(RetryAfterMs(none, now), 0u) << none;
  }
}

TEST(RetryWaits, AreAsLongAsTheServerAsksFor) {
  RetryWaits waits;
  EXPECT_EQ(waits.Next(250, 0), 250u);
  EXPECT_EQ(waits.Next(500, 100), 500u);
  EXPECT_EQ(waits.Next(1'000, 7'000), 7'000u);
}

TEST(RetryWaits, AreNeverShorterThanThat) {
  RetryWaits waits;
  EXPECT_EQ(waits.Next(250, 60'001), std::nullopt);
  EXPECT_EQ(waits.Next(250, 60'000), 60'000u);
}

TEST(RetryWaits, AreLimitedAllTogether) {
  RetryWaits waits({.one_ms = 50, .all_ms = 100});
  EXPECT_EQ(waits.Next(1, 50), 50u);
  EXPECT_EQ(waits.Next(1, 40), 40u);
  EXPECT_EQ(waits.Next(1, 11), std::nullopt);
  EXPECT_EQ(waits.Next(1, 10), 10u);
  EXPECT_EQ(waits.Next(1, 0), std::nullopt);
  waits.Restart();
  EXPECT_EQ(waits.Next(1, 50), 50u);
}

TEST(TransientStatus, AreThoseThatMayPass) {
  for (int status : {408, 425, 429, 500, 502, 503, 504}) EXPECT_TRUE(IsTransientStatus(status));
  for (int status : {200, 301, 400, 401, 403, 404, 416, 501})
    EXPECT_FALSE(IsTransientStatus(status));
}

}  // namespace
}  // namespace imgbuild::builder
