#include "builder/cli/confirm.h"

#include <sstream>

#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

TEST(Confirm, TakesNothingButAYes) {
  for (const char* yes : {"y\n", "yes\n", " Y \r\n", "y"}) {
    std::istringstream in(yes);
    EXPECT_NO_THROW(Confirm("delete it?", Asking::kTerminal, in)) << yes;
  }
  for (const char* no : {"", "\n", "n\n", "no\n", "yy\n", "\ny\n"}) {
    std::istringstream in(no);
    EXPECT_THROW(Confirm("delete it?", Asking::kTerminal, in), specs::Error) << no;
  }
}

TEST(Confirm, WithoutATerminalNobodyIsAsked) {
  std::istringstream in("y\n");
  try {
    Confirm("delete it?", Asking::kNobody, in);
    FAIL();
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.kind(), specs::ErrorKind::kUsage);
    EXPECT_EQ(error.found(), "delete it?");
  }
  EXPECT_EQ(in.peek(), 'y');
}

}  // namespace
}  // namespace imgbuild::builder
