#include "layers/unpack/extract.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "layers/io/file.h"
#include "tests/layers/unpack/unpack_fixture.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using support::MakeDeb;
using testing::HasSubstr;

class ExtractTest : public UnpackTest {
 protected:
  void Extract(const MakeDeb& deb) {
    DebOptions options;
    options.sha256 = specs::HashOf(deb.Bytes());
    ExtractDeb(Put("demo.deb", deb.Bytes()), options, root_);
  }
  fs::path root_ = folder_.path() / "root";
};

TEST_F(ExtractTest, FilesLinksAndFoldersAreThere) {
  MakeDeb deb;
  deb.Folder("./usr/").Folder("./usr/empty/").File("./bin/tool", "x", 06755);
  deb.Link("./usr/bin/alias", "tool").HardLink("./usr/zz", "./bin/tool");
  Extract(deb);
  EXPECT_EQ(ReadFile(root_ / "usr/bin/tool"), "x");
  EXPECT_EQ(fs::read_symlink(root_ / "usr/bin/alias"), "tool");
  EXPECT_TRUE(fs::is_directory(root_ / "usr/empty"));
  struct stat status {};
  ASSERT_EQ(::stat((root_ / "usr/zz").c_str(), &status), 0);
  EXPECT_EQ(status.st_nlink, 2u);
  EXPECT_EQ(status.st_mode & 07777, 0755u);
  EXPECT_EQ(status.st_mtime, 1'700'000'000);
}

TEST_F(ExtractTest, FilesAreReplacedNotWrittenThrough) {
  fs::path outside = Put("outside", "mine");
  Extract(MakeDeb().Link("./usr/a", outside.string()));
  Extract(MakeDeb().File("./usr/a", "theirs"));
  EXPECT_EQ(ReadFile(outside), "mine");
  EXPECT_EQ(ReadFile(root_ / "usr/a"), "theirs");
}

TEST_F(ExtractTest, NothingIsWrittenBelowALink) {
  fs::create_directory(folder_.path() / "target");
  Extract(MakeDeb().Link("./usr/d", (folder_.path() / "target").string()));
  EXPECT_THAT(ErrorOf([&] { Extract(MakeDeb().File("./usr/d/x", "x")); }), HasSubstr("no folder"));
  EXPECT_THAT(ErrorOf([&] { Extract(MakeDeb().Link("./u", "/tmp").File("./u/x", "x")); }),
              HasSubstr("no folder"));
  EXPECT_TRUE(fs::is_empty(folder_.path() / "target"));
}

}  // namespace
}  // namespace imgbuild::layers
