#include "layers/io/file_stamp.h"

#include <fstream>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "specs/base/text.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

class FileStampTest : public testing::Test {
 protected:
  static void Pass() { usleep(20'000); }  // the clock of file times is coarse

  support::TempFolder folder_;
  fs::path file_ = folder_.path() / "file";
};

TEST_F(FileStampTest, IsTheSameUntilTheFileIsWrittenOrReplaced) {
  std::ofstream(file_) << "bytes";
  const auto before = FileStamp::Of(file_);
  ASSERT_TRUE(before.has_value());
  EXPECT_EQ(before->size, 5u);
  EXPECT_EQ(FileStamp::Of(file_), before);
  Pass();
  std::ofstream(file_, std::ios::in | std::ios::out) << "BYTES";
  const auto written = FileStamp::Of(file_);
  EXPECT_NE(written, before);

  // Whoever sets the old time again is found out by ctime.
  const timespec old[2] = {{before->mtime_ns / 1'000'000'000, before->mtime_ns % 1'000'000'000},
                           {before->mtime_ns / 1'000'000'000, before->mtime_ns % 1'000'000'000}};
  Pass();
  ASSERT_EQ(utimensat(AT_FDCWD, file_.c_str(), old, 0), 0);
  const auto turned_back = FileStamp::Of(file_);
  EXPECT_EQ(turned_back->mtime_ns, before->mtime_ns);
  EXPECT_NE(turned_back, before);

  std::ofstream(folder_.path() / "other") << "BYTES";
  fs::rename(folder_.path() / "other", file_);
  EXPECT_NE(FileStamp::Of(file_)->inode, before->inode);
}

TEST_F(FileStampTest, IsOfRegularFilesAlone) {
  EXPECT_FALSE(FileStamp::Of(file_));
  EXPECT_FALSE(FileStamp::Of(folder_.path()));
  std::ofstream(folder_.path() / "target") << "x";
  fs::create_symlink("target", file_);
  EXPECT_FALSE(FileStamp::Of(file_));
}

TEST_F(FileStampTest, IsReadAsItWasWritten) {
  std::ofstream(file_) << "bytes";
  const FileStamp stamp = *FileStamp::Of(file_);
  const std::string text = stamp.Render();
  EXPECT_EQ(FileStamp::Parse(specs::SplitWords(text)), stamp);
  for (const char* wrong : {"", "1 2 3", "1 2 3 4 5", "1 2 3 x", "-1 2 3 4"}) {
    EXPECT_FALSE(FileStamp::Parse(specs::SplitWords(wrong))) << wrong;
  }
}

}  // namespace
}  // namespace imgbuild::layers
