#include "builder/rootless/tree_writer.h"

#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "builder/rootless/copy_tree.h"
#include "builder/rootless/remove_tree.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

// A tar (POSIX.1-2017 ustar), entry by entry.
class Tar {
 public:
  Tar& File(const std::string& path, const std::string& content, unsigned mode = 0644) {
    return Entry('0', path, content, "", mode);
  }
  Tar& Folder(const std::string& path, unsigned mode = 0755) {
    return Entry('5', path, "", "", mode);
  }
  Tar& Symlink(const std::string& path, const std::string& target) {
    return Entry('2', path, "", target, 0777);
  }
  Tar& Hardlink(const std::string& path, const std::string& target) {
    return Entry('1', path, "", target, 0644);
  }
  Tar& Device(const std::string& path) { return Entry('3', path, "", "", 0644); }
  std::string Bytes() const { return bytes_ + std::string(1024, '\0'); }

 private:
  Tar& Entry(char type, const std::string& path, const std::string& content,
             const std::string& target, unsigned mode) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) {
      header.replace(at, text.size(), text);
    };
    put(0, path);
    put(100, fmt::format("{:07o}", mode));
    put(108, "0000000");
    put(116, "0000000");
    put(124, fmt::format("{:011o}", content.size()));
    put(136, fmt::format("{:011o}", 1'600'000'000));
    put(148, "        ");
    header[156] = type;
    put(157, target);
    put(257, std::string("ustar\0", 6) + "00");
    unsigned sum = 0;
    for (unsigned char byte : header) sum += byte;
    put(148, fmt::format("{:06o}", sum) + '\0' + ' ');
    bytes_ += header + content + std::string((512 - content.size() % 512) % 512, '\0');
    return *this;
  }

  std::string bytes_;
};

class TreeWriterTest : public testing::Test {
 protected:
  TreeWriterTest() {
    std::string name = (fs::temp_directory_path() / "tree-writer-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    fs::create_directory(folder_ / "root");
    std::ofstream(folder_ / "outside") << "safe";
    fs::create_directory(folder_ / "elsewhere");
  }
  ~TreeWriterTest() override { RemoveAt(AT_FDCWD, folder_.string()); }

  void Write(const std::vector<Tar>& tars) {
    const RootFolder root(folder_ / "root");
    TreeWriter writer(root, TreeOwners::kWriter);
    for (const Tar& tar : tars) {
      const std::string bytes = tar.Bytes();
      layers::MemorySource source(bytes);
      writer.AddLayer(source);
    }
    writer.Finish();
  }
  std::string Read(const std::string& path) const {
    std::ifstream file(folder_ / path);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  bool Has(const std::string& path) const {
    return fs::symlink_status(folder_ / "root" / path).type() != fs::file_type::not_found;
  }

  fs::path folder_;
};

TEST_F(TreeWriterTest, WritesWhatALayerSays) {
  Write({Tar()
             .Folder("usr/", 0750)
             .File("usr/tool", "text", 04755)
             .Hardlink("usr/same", "usr/tool")
             .Symlink("link", "usr/tool")
             .Device("null")
             .File("made/above/file", "x")});
  EXPECT_EQ(Read("root/usr/tool"), "text");
  struct stat status {};
  ASSERT_EQ(stat((folder_ / "root/usr/tool").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 04755u);
  EXPECT_EQ(status.st_mtime, 1'600'000'000);
  EXPECT_EQ(status.st_nlink, 2u);
  ASSERT_EQ(stat((folder_ / "root/usr").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0750u);
  EXPECT_EQ(status.st_mtime, 1'600'000'000);
  EXPECT_EQ(fs::read_symlink(folder_ / "root/link"), "usr/tool");
  EXPECT_FALSE(Has("null"));
  EXPECT_EQ(Read("root/made/above/file"), "x");
}

TEST_F(TreeWriterTest, LaysLayersOverEachOther) {
  Write({Tar().File("a", "1").Folder("b").File("b/c", "1").File("d", "1").Symlink("e", "b"),
         Tar().Folder("a").File("a/x", "2").File("b", "2").Symlink("d", "a").File("e", "2")});
  EXPECT_EQ(Read("root/a/x"), "2");
  EXPECT_EQ(Read("root/b"), "2");
  EXPECT_EQ(fs::read_symlink(folder_ / "root/d"), "a");
  EXPECT_EQ(Read("root/e"), "2");
  EXPECT_FALSE(fs::is_symlink(folder_ / "root/e"));
}

TEST_F(TreeWriterTest, WhiteoutsTakeAwayOnlyWhatLiesBelow) {
  Write({Tar().File("d/old", "1").File("d/sub/old", "1").File("gone", "1").File("kept", "1"),
         Tar()
             .File("d/new", "2")
             .File("d/sub/new", "2")
             .File("d/.wh..wh..opq", "")
             .File(".wh.gone", "")
             .File(".wh.never", "")
             .File("kept", "2")
             .File(".wh.kept", "")});
  EXPECT_FALSE(Has("d/old"));
  EXPECT_FALSE(Has("d/sub/old"));
  EXPECT_EQ(Read("root/d/new"), "2");
  EXPECT_EQ(Read("root/d/sub/new"), "2");
  EXPECT_FALSE(Has("gone"));
  EXPECT_EQ(Read("root/kept"), "2");
  EXPECT_FALSE(Has("d/.wh..wh..opq"));
}

TEST_F(TreeWriterTest, FollowsLinksInsideTheRoot) {
  Write({Tar().Folder("usr/lib").Symlink("lib", "usr/lib").Symlink("abs", "/usr/lib"),
         Tar().File("lib/a", "1").File("abs/b", "2")});
  EXPECT_EQ(Read("root/usr/lib/a"), "1");
  EXPECT_EQ(Read("root/usr/lib/b"), "2");
}

TEST_F(TreeWriterTest, NeverLeavesTheRoot) {
  EXPECT_THROW(Write({Tar().File("../outside", "evil")}), specs::Error);
  EXPECT_THROW(Write({Tar().File("a/../../outside", "evil")}), specs::Error);
  // Through links, ".." ends at the root of the image.
  Write({Tar().Symlink("up", "../elsewhere").Folder("elsewhere"), Tar().File("up/in", "1")});
  EXPECT_EQ(Read("root/elsewhere/in"), "1");
  Write({Tar().Symlink("far", (folder_ / "elsewhere").string())});
  EXPECT_THROW(Write({Tar().Hardlink("stolen", "far/../outside")}), specs::Error);
  EXPECT_THROW(Write({Tar().Hardlink("stolen", "../outside")}), specs::Error);
  Write({Tar().Symlink("file", (folder_ / "outside").string()), Tar().File("file", "new")});
  Write({Tar().Symlink("gone", ".."),
         Tar().File("gone/.wh.outside", "").File("gone/.wh..wh..opq", "")});
  EXPECT_EQ(Read("outside"), "safe");
  EXPECT_TRUE(fs::is_empty(folder_ / "elsewhere"));
  EXPECT_THROW(Write({Tar().File(".wh...", "")}), specs::Error);
}

TEST_F(TreeWriterTest, RemovesTreesWithoutFollowingLinks) {
  Write({Tar().File("a/b/c", "1").Symlink("a/out", (folder_ / "elsewhere").string())});
  std::ofstream(folder_ / "elsewhere/file") << "kept";
  EXPECT_TRUE(RemoveAt(AT_FDCWD, (folder_ / "root").string()));
  EXPECT_FALSE(fs::exists(folder_ / "root"));
  EXPECT_EQ(Read("elsewhere/file"), "kept");
}

TEST_F(TreeWriterTest, CopiesAreTheirOwn) {
  Write(
      {Tar().File("a/file", "text", 0640).Hardlink("a/same", "a/file").Symlink("a/link", "file")});
  fs::create_directory(folder_ / "copy");
  CopyTree((folder_ / "root").string(), (folder_ / "copy").string());
  std::ofstream(folder_ / "copy/a/file") << "changed";
  EXPECT_EQ(Read("root/a/file"), "text");
  EXPECT_EQ(Read("copy/a/same"), "text");
  EXPECT_EQ(fs::read_symlink(folder_ / "copy/a/link"), "file");
  struct stat status {};
  ASSERT_EQ(stat((folder_ / "copy/a/same").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0640u);
  EXPECT_EQ(status.st_mtime, 1'600'000'000);
  EXPECT_THROW(CopyTree((folder_ / "none").string(), (folder_ / "copy").string()), specs::Error);
}

}  // namespace
}  // namespace imgbuild::builder
