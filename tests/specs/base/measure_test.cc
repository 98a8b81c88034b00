#include "specs/base/measure.h"

#include <gtest/gtest.h>

namespace imgbuild::specs {
namespace {

TEST(ParseSize, TakesANumberAndAUnit) {
  EXPECT_EQ(ParseSize("0B"), 0u);
  EXPECT_EQ(ParseSize("512 MB"), 512'000'000u);
  EXPECT_EQ(ParseSize("4GiB"), 4ull << 30);
  for (const char* text : {"", "4", "GB", "4 apples", "-1MB", "1.5GB", "4gb", "2000000000GB"}) {
    EXPECT_FALSE(ParseSize(text)) << text;
  }
}

TEST(ParseDuration, TakesANumberAndAUnit) {
  EXPECT_EQ(ParseDuration("500ms"), 500u);
  EXPECT_EQ(ParseDuration("2 min"), 120'000u);
  EXPECT_EQ(ParseDuration("2m"), 120'000u);
  EXPECT_EQ(ParseDuration("30d"), 30ull * 86'400'000);
  EXPECT_EQ(ParseDuration("0d"), 0u);
  for (const char* text : {"", "5", "d", "5 days", "-1s"})
    EXPECT_FALSE(ParseDuration(text)) << text;
}

}  // namespace
}  // namespace imgbuild::specs
