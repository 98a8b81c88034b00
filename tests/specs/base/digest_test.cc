#include "specs/base/digest.h"

#include <gtest/gtest.h>

#include "specs/base/key.h"

namespace imgbuild::specs {
namespace {

constexpr char kAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, MatchesTheStandardsExample) { EXPECT_EQ(HashOf("abc").Hex(), kAbc); }

TEST(Sha256, RoundTripsThroughBothSpellings) {
  Sha256 digest = HashOf("abc");
  EXPECT_EQ(Sha256::Parse(digest.Hex()), digest);
  EXPECT_EQ(Sha256::Parse(digest.Oci()), digest);
}

TEST(Sha256, RefusesAnythingElse) {
  EXPECT_FALSE(Sha256::Parse(""));
  EXPECT_FALSE(Sha256::Parse("sha512:" + std::string(64, '0')));
  EXPECT_FALSE(Sha256::Parse(std::string(63, 'a')));
  EXPECT_FALSE(Sha256::Parse(std::string(63, 'a') + 'g'));
}

TEST(Sha256Hasher, StartsAnewAfterFinish) {
  Sha256Hasher hasher;
  hasher.Update("something else");
  (void)hasher.Finish();
  hasher.Update("a");
  hasher.Update("bc");
  EXPECT_EQ(hasher.Finish().Hex(), kAbc);
}

TEST(KeyBuilder, TellsConcatenationsApart) {
  EXPECT_NE(KeyBuilder("step/1").Add("a", "b").Add("c", "d").Finish(),
            KeyBuilder("step/1").Add("a", "bc").Add("", "d").Finish());
  EXPECT_NE(KeyBuilder("step/1").Finish(), KeyBuilder("step/2").Finish());
  EXPECT_EQ(KeyBuilder("step/1").Add("n", 7u).Finish(),
            KeyBuilder("step/1").Add("n", "7").Finish());
}

}  // namespace
}  // namespace imgbuild::specs
