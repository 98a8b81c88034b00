#include "builder/debian/release_file.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/support/mini_archive.h"

namespace imgbuild::builder {
namespace {

TEST(ReleaseFile, ReadsWhatMatters) {
  support::MiniSuite suite;
  suite.codename = "bookworm-security";
  suite.valid_until = "Sat, 18 Jul 2026 10:16:37 UTC";
  ReleaseFile release = ParseRelease(suite.Release(), "InRelease");
  EXPECT_EQ(release.codename, "bookworm-security");
  EXPECT_EQ(release.suite, "stable");
  EXPECT_EQ(Rfc3339(release.date), "2026-07-11T10:16:37Z");
  EXPECT_EQ(*release.valid_until - release.date, 7 * 86'400);
  EXPECT_TRUE(release.acquire_by_hash);
  EXPECT_EQ(release.packages.size(), 4u);
  EXPECT_EQ(release.packages.at("main/binary-amd64/Packages").sha256, specs::HashOf(""));
}

TEST(ReleaseFile, SaysWhatIsMissingOrMalformed) {
  for (const char* text :
       {"", "Date: x\nSHA256:\n", "Date: Sat, 11 Jul 2026 10:16:37 UTC\n", "SHA256:\n a b c\n",
        "Date: Sat, 11 Jul 2026 10:16:37 UTC\nSHA256:\n zz 1 main/binary-amd64/Packages\n",
        "Date: Sat, 11 Jul 2026 10:16:37 UTC\nValid-Until: soon\nSHA256:\n"}) {
    EXPECT_THROW(ParseRelease(text, "InRelease"), specs::Error) << text;
  }
}

TEST(ReleaseFile, Dates) {
  EXPECT_EQ(ParseReleaseDate("Thu, 01 Jan 1970 00:00:00 UTC"), 0);
  EXPECT_EQ(ParseReleaseDate("Sat, 21 Nov 2026  0:53:02 GMT"),
            ParseReleaseDate("Sat, 21 Nov 2026 00:53:02 +0000"));
  for (const char* text :
       {"", "Sat, 31 Feb 2026 10:16:37 UTC", "Sat, 11 Jul 2026 24:16:37 UTC",
        "Sat, 11 Jul 2026 10:16:37 CET", "Sat, 11 Jul 99999 10:16:37 UTC", "2026-07-11"}) {
    EXPECT_EQ(ParseReleaseDate(text), std::nullopt) << text;
  }
  EXPECT_EQ(SnapshotTimestamp("2026-07-11T10:16:37Z"), "20260711T101637Z");
  EXPECT_EQ(SnapshotTimestamp("2026-07-11"), std::nullopt);
  EXPECT_EQ(SnapshotTimestamp("2026-07-11T10:16:37+"), std::nullopt);
  EXPECT_EQ(SnapshotTimestamp("../../../..T10:16:37"), std::nullopt);
}

TEST(ReleaseFile, MutationsNeverCrash) {
  support::MiniSuite suite;
  suite.codename = "bookworm";
  const std::string text = suite.Release();
  std::mt19937 random(11);
  for (int i = 0; i < 3000; ++i) {
    std::string mutated = text.substr(0, random() % (text.size() + 1));
    for (int n = static_cast<int>(random() % 8); n > 0 && !mutated.empty(); --n) {
      mutated[random() % mutated.size()] = static_cast<char>(random());
    }
    try {
      ParseRelease(mutated, "InRelease");
    } catch (const specs::Error&) {
    }
  }
}

}  // namespace
}  // namespace imgbuild::builder
