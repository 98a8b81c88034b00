#include "layers/store/verified_files.h"

#include <algorithm>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "layers/io/file.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::HashOf;

class VerifiedFilesTest : public testing::Test {
 protected:
  fs::path Put(const std::string& content) const {
    const fs::path path = folder_.path() / content;
    std::ofstream(path) << content;
    return path;
  }
  void Note(VerifiedFiles& files, const std::string& content) const {
    files.Note(HashOf(content), *FileStamp::Of(folder_.path() / content));
  }

  support::TempFolder folder_;
  fs::path table_ = folder_.path() / "verified";
};

TEST_F(VerifiedFilesTest, KnowsAFileUntilItIsAnother) {
  const fs::path one = Put("one");
  Put("two");
  VerifiedFiles files(table_);
  EXPECT_FALSE(files.Has(HashOf("one"), one));
  Note(files, "one");
  EXPECT_TRUE(files.Has(HashOf("one"), one));
  EXPECT_FALSE(files.Has(HashOf("two"), one));
  usleep(20'000);  // the clock of file times is coarse
  std::ofstream(one, std::ios::in | std::ios::out) << "ONE";
  EXPECT_FALSE(files.Has(HashOf("one"), one));
  fs::remove(one);
  EXPECT_FALSE(files.Has(HashOf("one"), one));
}

TEST_F(VerifiedFilesTest, TellsOtherProcesses) {
  const fs::path one = Put("one"), two = Put("two");
  VerifiedFiles here(table_), there(table_);
  Note(here, "one");
  Note(there, "two");  // both write to the same table
  Note(here, "one");
  VerifiedFiles later(table_);
  EXPECT_TRUE(later.Has(HashOf("one"), one));
  EXPECT_TRUE(later.Has(HashOf("two"), two));
}

TEST_F(VerifiedFilesTest, KnowsAWheelsRecordWhateverFileHoldsIt) {
  const fs::path one = Put("one");
  {
    VerifiedFiles files(table_);
    Note(files, "one");
    EXPECT_FALSE(files.HasRecord(HashOf("one")));
    files.NoteRecord(HashOf("one"));
    files.NoteRecord(HashOf("one"));
    EXPECT_TRUE(files.HasRecord(HashOf("one")));
  }
  EXPECT_EQ(std::ranges::count(ReadFile(table_), '\n'), 2);
  fs::remove(one);
  VerifiedFiles later(table_);
  EXPECT_TRUE(later.HasRecord(HashOf("one")));
  EXPECT_FALSE(later.HasRecord(HashOf("two")));
  EXPECT_FALSE(later.Has(HashOf("one"), one));
}

TEST_F(VerifiedFilesTest, PassesOverWhatIsNoEntry) {
  const fs::path one = Put("one"), two = Put("two");
  std::string lines;
  {
    VerifiedFiles files(table_);
    Note(files, "one");
    lines = ReadFile(table_);
    // As a full disk or a lost machine may leave it: the last line runs into the next.
    std::ofstream(table_) << "junk\n" << lines << lines.substr(0, lines.size() / 2);
  }
  {
    VerifiedFiles files(table_);
    EXPECT_TRUE(files.Has(HashOf("one"), one));
    Note(files, "two");
    EXPECT_TRUE(files.Has(HashOf("two"), two));
  }
  VerifiedFiles files(table_);
  EXPECT_TRUE(files.Has(HashOf("one"), one));
  EXPECT_FALSE(files.Has(HashOf("two"), two));  // hashed once more
}

TEST_F(VerifiedFilesTest, StartsAnewWhereTheTableGrewTooLong) {
  const fs::path one = Put("one");
  {
    VerifiedFiles files(table_);
    Note(files, "one");
  }
  const std::string line = ReadFile(table_);
  std::string many;
  while (many.size() < 3u << 20) many += line;
  std::ofstream(table_) << many;
  VerifiedFiles files(table_);
  EXPECT_FALSE(files.Has(HashOf("one"), one));
  Note(files, "one");
  EXPECT_EQ(ReadFile(table_), line);
}

TEST_F(VerifiedFilesTest, WhereItCannotWriteItKnowsForItself) {
  const fs::path one = Put("one");
  VerifiedFiles files(folder_.path() / "nowhere" / "verified");
  Note(files, "one");
  EXPECT_TRUE(files.Has(HashOf("one"), one));
}

}  // namespace
}  // namespace imgbuild::layers
