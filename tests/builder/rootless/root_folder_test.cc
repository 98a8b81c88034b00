#include "builder/rootless/root_folder.h"

#include <fstream>

#include <gtest/gtest.h>

#include "specs/base/error.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

TEST(RootFolder, WritesOverFilesOfItsOwnAlone) {
  const support::TempFolder folder;
  const fs::path root = folder.path() / "root";
  fs::create_directories(root / "etc");
  std::ofstream(root / "etc/table") << "a long text";
  std::ofstream(folder.path() / "table") << "of somebody else";
  const RootFolder opened(root);
  opened.Overwrite("etc/table", "short");
  EXPECT_EQ(opened.Read("etc/table"), "short");
  EXPECT_THROW(opened.Overwrite("etc/none", "x"), specs::Error);
  fs::create_symlink("../../../table", root / "etc/out");
  EXPECT_THROW(opened.Overwrite("etc/out", "x"), specs::Error);
  EXPECT_EQ(RootFolder(folder.path()).Read("table"), "of somebody else");
}

}  // namespace
}  // namespace imgbuild::builder
