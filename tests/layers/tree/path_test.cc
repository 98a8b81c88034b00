#include "layers/tree/path.h"

#include <gtest/gtest.h>

namespace imgbuild::layers {
namespace {

TEST(CanonicalPath, BringsSafeSpellingsToOne) {
  for (std::string_view path :
       {"usr/bin", "./usr/bin", "/usr/bin/", ".//usr/./bin//", "///usr/bin"}) {
    EXPECT_EQ(CanonicalPath(path), "usr/bin") << path;
  }
  for (std::string_view path : {"", ".", "./", "/", "//."}) EXPECT_EQ(CanonicalPath(path), "");
  EXPECT_EQ(CanonicalPath("..a/b.."), "..a/b..");
}

TEST(CanonicalPath, RefusesWhatIsNotSafe) {
  EXPECT_EQ(CanonicalPath(".."), std::nullopt);
  EXPECT_EQ(CanonicalPath("usr/../etc"), std::nullopt);
  EXPECT_EQ(CanonicalPath("usr/.."), std::nullopt);
  EXPECT_EQ(CanonicalPath(std::string_view("a\0b", 3)), std::nullopt);
  EXPECT_EQ(CanonicalPath(std::string(256, 'a')), std::nullopt);
  std::string deep;
  for (int i = 0; i < 3000; ++i) deep += "a/";
  EXPECT_EQ(CanonicalPath(deep), std::nullopt);
}

TEST(IsCanonicalPath, AcceptsOnlyWhatCanonicalPathMakes) {
  for (std::string_view path : {"a", "a/b", "...", "a/.b"})
    EXPECT_TRUE(IsCanonicalPath(path)) << path;
  for (std::string_view path : {"", "/", "/a", "a/", "a//b", ".", "a/.", "..", "a/../b"}) {
    EXPECT_FALSE(IsCanonicalPath(path)) << path;
  }
  EXPECT_TRUE(IsCanonicalPath(std::string(255, 'a')));
  EXPECT_FALSE(IsCanonicalPath(std::string(256, 'a')));
}

TEST(ParentPath, IsAllBeforeTheLastSlash) {
  EXPECT_EQ(ParentPath("usr/bin/env"), "usr/bin");
  EXPECT_EQ(ParentPath("usr"), "");
}

}  // namespace
}  // namespace imgbuild::layers
