#include "specs/base/error.h"

#include <gtest/gtest.h>

#include "specs/base/problems.h"

namespace imgbuild::specs {
namespace {

TEST(Error, SaysFoundExpectedTrailAndHint) {
  Error error = Error(ErrorKind::kVerification, "numpy has the wrong hash")
                    .Found("aa")
                    .Expected("bb")
                    .Hint("fetch it again")
                    .In("while locking");
  EXPECT_STREQ(error.what(),
               "numpy has the wrong hash\n  found:    aa\n  expected: bb\n  while locking\n"
               "  hint: fetch it again");
  EXPECT_EQ(static_cast<int>(error.kind()), 4);
}

TEST(Error, ShowsNoControlCharacterOfWhatItWasTold) {
  const std::string hostile = "a\x1b]0;b\x07\rc\n";
  Error error = Error(hostile).Found(hostile).Expected(hostile).Hint(hostile).In("in " + hostile);
  const std::string shown = error.what();
  EXPECT_EQ(shown.find_first_of("\x1b\x07\r"), std::string::npos) << shown;
  EXPECT_EQ(error.message(), "a?]0;b??c\n");
  EXPECT_EQ(error.found(), error.message());
}

TEST(WithContext, AddsToErrorsThatLeaveIt) {
  try {
    WithContext("while installing rich", [] { throw Error("disk full"); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.trail(), std::vector<std::string>{"while installing rich"});
  }
  EXPECT_EQ(WithContext("unused", [] { return 3; }), 3);
}

TEST(Problems, ListsAllInOrderOfPlace) {
  Problems problems;
  problems.Add({"spec.toml", 9, 1}, "late");
  problems.Add({"spec.toml", 2, 5}, "unknown key \"nmae\"", "did you mean \"name\"?");
  try {
    problems.ThrowIfAny();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_STREQ(error.what(),
                 "spec.toml:2:5: unknown key \"nmae\"\n  hint: did you mean \"name\"?\n"
                 "spec.toml:9:1: late");
  }
}

TEST(Problems, NoneIsNoError) { EXPECT_NO_THROW(Problems().ThrowIfAny()); }

}  // namespace
}  // namespace imgbuild::specs
