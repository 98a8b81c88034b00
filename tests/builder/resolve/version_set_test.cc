#include "builder/resolve/version_set.h"

#include <random>

#include "builder/resolve/term.h"

namespace imgbuild::builder {
namespace {

constexpr Position kLimit = 8;

VersionSet FromBits(unsigned bits) {
  std::vector<Position> positions;
  for (Position p = 0; p < kLimit; ++p) {
    if (bits >> p & 1) positions.push_back(p);
  }
  return VersionSet::Of(positions);
}

unsigned ToBits(const VersionSet& set) {
  unsigned bits = 0;
  for (Position p = 0; p < kLimit; ++p) bits |= unsigned{set.Contains(p)} << p;
  return bits;
}

TEST(VersionSet, AgreesWithBits) {
  for (unsigned a = 0; a < 256; ++a) {
    VersionSet set = FromBits(a);
    EXPECT_EQ(ToBits(set), a);
    EXPECT_EQ(ToBits(set.Complement()), ~a & 255u);
    EXPECT_EQ(set.Complement().Complement(), set);
    for (unsigned b = 0; b < 256; b += 3) {
      VersionSet other = FromBits(b);
      ASSERT_EQ(set.Intersect(other), FromBits(a & b));
      ASSERT_EQ(set.Union(other), FromBits(a | b));
      ASSERT_EQ(set.IsSubsetOf(other), (a & ~b) == 0);
      ASSERT_EQ(set.IsDisjointFrom(other), (a & b) == 0);
    }
  }
}

TEST(VersionSet, KnowsItsEnds) {
  EXPECT_TRUE(VersionSet::Full().IsFull());
  EXPECT_TRUE(VersionSet::Full().Complement().empty());
  EXPECT_TRUE(VersionSet().Complement().IsFull());
  EXPECT_TRUE(VersionSet::Between(4, 4).empty());
  EXPECT_TRUE(VersionSet::From(7).Contains(kEndPosition - 1));
  EXPECT_EQ(VersionSet::From(7).Union(VersionSet::Below(7)), VersionSet::Full());
  EXPECT_EQ(VersionSet::Of({5, 0, 1, 2, 5}).Render(), "[0,3) [5,6)");
}

TEST(VersionSet, LeavesRoomBetweenVersions) {
  EXPECT_EQ(IndexOf(Slot(3)), 3u);
  EXPECT_EQ(IndexOf(Gap(3)), std::nullopt);
  EXPECT_LT(Gap(3), Slot(3));
  EXPECT_LT(Slot(3), Gap(4));
}

// Terms over the states "version 0..7" and "not chosen", the ninth bit.
unsigned ToBits(const Term& term) {
  return term.positive() ? ToBits(term.versions) : (~ToBits(term.versions) & 255u) | 256u;
}

TEST(Term, AgreesWithStates) {
  std::mt19937 random(3);
  for (int round = 0; round < 4000; ++round) {
    auto draw = [&random] {
      VersionSet set = FromBits(random() & 255);
      return random() & 1 ? Term::Positive(set) : Term::Negative(set);
    };
    Term a = draw();
    Term b = draw();
    ASSERT_EQ(ToBits(a.Negate()), ~ToBits(a) & 511u);
    ASSERT_EQ(ToBits(a.Intersect(b)), ToBits(a) & ToBits(b));
    ASSERT_EQ(ToBits(a.Union(b)), ToBits(a) | ToBits(b));
    ASSERT_EQ(a.Implies(b), (ToBits(a) & ~ToBits(b)) == 0);
    ASSERT_EQ(a.IsDisjointFrom(b), (ToBits(a) & ToBits(b)) == 0);
  }
  EXPECT_TRUE(Term::Any().IsAny());
  EXPECT_TRUE(Term::Positive({}).IsImpossible());
}

}  // namespace
}  // namespace imgbuild::builder
