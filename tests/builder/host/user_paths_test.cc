#include "builder/host/user_paths.h"

#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

TEST(UserPaths, FollowXdgThenHome) {
  EXPECT_EQ(CacheDirectory(Environment::Of({{"XDG_CACHE_HOME", "/x"}, {"HOME", "/h"}})),
            "/x/imgbuild");
  EXPECT_EQ(CacheDirectory(Environment::Of({{"XDG_CACHE_HOME", "x"}, {"HOME", "/h"}})),
            "/h/.cache/imgbuild");
  EXPECT_EQ(CacheDirectory(Environment::Of({{"IMGBUILD_CACHE_DIR", "/c"}, {"HOME", "/h"}})), "/c");
  EXPECT_THROW(CacheDirectory({}), specs::Error);
  EXPECT_EQ(ConfigFile(Environment::Of({{"HOME", "/h"}})), "/h/.config/imgbuild/config.toml");
  EXPECT_EQ(ConfigFile({}), "");
  EXPECT_EQ(DataDirectory(Environment::Of({{"XDG_DATA_HOME", "/d"}, {"HOME", "/h"}})),
            "/d/imgbuild");
  EXPECT_EQ(DataDirectory(Environment::Of({{"HOME", "/h"}})), "/h/.local/share/imgbuild");
  EXPECT_THROW(DataDirectory({}), specs::Error);
  EXPECT_EQ(NetrcFile(Environment::Of({{"NETRC", "/n"}})), "/n");
}

}  // namespace
}  // namespace imgbuild::builder
