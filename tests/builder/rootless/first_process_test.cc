#include "builder/rootless/first_process.h"

#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

TEST(WrittenBelow, IsTheOverlaysFolderOrTheCopy) {
  const support::TempFolder folder;
  fs::create_directories(folder.path() / "root");
  fs::create_directories(folder.path() / "upper/etc");
  EXPECT_EQ(WrittenBelow(folder.path()), folder.path() / "upper");
  std::ofstream(folder.path() / "root/copied") << "";
  EXPECT_EQ(WrittenBelow(folder.path()), folder.path() / "root");
}

}  // namespace
}  // namespace imgbuild::builder
