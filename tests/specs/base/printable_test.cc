#include "specs/base/printable.h"

#include <gtest/gtest.h>

namespace imgbuild::specs {
namespace {

TEST(Printable, HoldsNoControlCharacters) {
  EXPECT_EQ(Printable("tab\tand\nnewline"), "tab\tand\nnewline");
  EXPECT_EQ(Printable("\x1b[2J\x7f\r"), "?[2J??");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "31m"),
            "?31m");  // C1's CSI
  EXPECT_EQ(Printable("gr\xc3\xbc\xc3\x9f \xe2\x80\xa6"), "gr\xc3\xbc\xc3\x9f \xe2\x80\xa6");
  EXPECT_EQ(Printable("\xc2"), "\xc2");
}

}  // namespace
}  // namespace imgbuild::specs
