#include "builder/engine/file_watch.h"

#include <fstream>

#include <gtest/gtest.h>
#include <poll.h>

#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

class FileWatchTest : public testing::Test {
 protected:
  void Write(const std::string& name) const { std::ofstream(at(name)) << "x"; }
  fs::path at(const std::string& name) const { return folder_.path() / name; }
  // Whether anything of interest happened since the last call.
  bool Changed() {
    pollfd ready{watch_.fd(), POLLIN, 0};
    ::poll(&ready, 1, 50);
    return watch_.Changed();
  }

  support::TempFolder folder_;
  FileWatch watch_;
};

TEST_F(FileWatchTest, AFileByItsName) {
  Write("spec.toml");
  watch_.Watch({at("spec.toml"), at("spec.local.toml")});
  EXPECT_FALSE(Changed());
  Write("spec.lock");
  EXPECT_FALSE(Changed());
  Write("spec.toml");
  EXPECT_TRUE(Changed());
  EXPECT_FALSE(Changed());
  // As editors save: under another name first.
  Write("new");
  fs::rename(at("new"), at("spec.toml"));
  EXPECT_TRUE(Changed());
  Write("spec.local.toml");
  EXPECT_TRUE(Changed());
  fs::remove(at("spec.local.toml"));
  EXPECT_TRUE(Changed());
}

TEST_F(FileWatchTest, AFolderWithAllBelowIt) {
  fs::create_directories(at("app/deep"));
  fs::create_directories(at("app/.git"));
  watch_.Watch({at("app")});
  Write("app/deep/x");
  EXPECT_TRUE(Changed());
  Write("app/.git/x");
  EXPECT_FALSE(Changed());
  Write("app/deep/x.pyc");
  Write("app/deep/x~");
  EXPECT_FALSE(Changed());
  fs::create_directory(at("app/new"));
  EXPECT_TRUE(Changed());
  Write("app/new/y");
  EXPECT_TRUE(Changed());
  fs::remove_all(at("app/deep"));
  EXPECT_TRUE(Changed());
}

// A save made while an image was built.
TEST_F(FileWatchTest, WhatHappensBeforeItIsWatchedAgainIsToldAfterwards) {
  Write("spec.toml");
  fs::create_directories(at("app/deep"));
  const std::vector<fs::path> places = {at("spec.toml"), at("app")};
  watch_.Watch(places);
  for (const char* file : {"spec.toml", "app/main.py", "app/deep/x"}) {
    Write(file);
    watch_.Watch(places);
    EXPECT_TRUE(Changed()) << file;
    EXPECT_FALSE(Changed()) << file;
  }
}

TEST_F(FileWatchTest, AFolderThatIsReplaced) {
  fs::create_directories(at("app"));
  watch_.Watch({at("app")});
  fs::create_directories(at("new"));
  fs::remove_all(at("app"));
  EXPECT_TRUE(Changed());
  fs::rename(at("new"), at("app"));
  EXPECT_TRUE(Changed());
  watch_.Watch({at("app")});
  Write("app/x");
  EXPECT_TRUE(Changed());
}

TEST_F(FileWatchTest, WhatIsNotWatchedAnyMoreIsNot) {
  fs::create_directories(at("a"));
  fs::create_directories(at("b"));
  watch_.Watch({at("a")});
  watch_.Watch({at("b"), at("missing/spec.toml")});
  Write("a/x");
  EXPECT_FALSE(Changed());
  Write("b/x");
  EXPECT_TRUE(Changed());
}

}  // namespace
}  // namespace imgbuild::builder
