#include "builder/rootless/image_user.h"

#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\nshort:x\nweb:x:33:34:::\nbad:x:abc:1:::\n";
constexpr std::string_view kGroup = "root:x:0:\nadm:x:4:\n";

TEST(ImageUser, IsTakenByNumber) {
  EXPECT_EQ(ImageUser("1000:5", "", ""), (UserIds{1000, 5}));
  EXPECT_EQ(ImageUser("1000", "", ""), (UserIds{1000, 0}));
  EXPECT_EQ(ImageUser("", "", ""), (UserIds{0, 0}));
  EXPECT_EQ(ImageUser("33", kPasswd, kGroup), (UserIds{33, 34}));
}

TEST(ImageUser, IsFoundByName) {
  EXPECT_EQ(ImageUser("web", kPasswd, kGroup), (UserIds{33, 34}));
  EXPECT_EQ(ImageUser("web:adm", kPasswd, kGroup), (UserIds{33, 4}));
  EXPECT_EQ(ImageUser("web:", kPasswd, kGroup), (UserIds{33, 34}));
}

TEST(ImageUser, MustExist) {
  for (const char* user : {"nobody", "bad", "short", "web:nobody", "-1", "4294967295"}) {
    EXPECT_THROW(ImageUser(user, kPasswd, kGroup), specs::Error) << user;
  }
}

}  // namespace
}  // namespace imgbuild::builder
