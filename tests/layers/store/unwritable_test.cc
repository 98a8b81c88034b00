// A cache that cannot be written: always an Error with the path and the ways out.
#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layers/store/store.h"
#include "specs/base/error.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::HashOf;
using testing::HasSubstr;

class UnwritableTest : public testing::Test {
 protected:
  void SetUp() override { fs::permissions(folder_.path(), fs::perms(0755)); }

  // "" where `action` throws such an Error, else what it did instead.
  static std::string Complaint(const fs::path& root, const std::function<void()>& action) {
    try {
      action();
    } catch (const specs::Error& error) {
      const std::string text = error.what();
      for (const char* part : {root.c_str(), "XDG_CACHE_HOME", "--cache-dir"}) {
        if (text.find(part) == std::string::npos) return Lacking(text, part);
      }
      return "";
    } catch (const std::exception& error) {
      return std::string("another exception: ") + error.what();
    }
    return "nothing was thrown";
  }
  static std::string Lacking(const std::string& text, const std::string& part) {
    return "\"" + text + "\" lacks " + part;
  }

  static void PutPackage(Store& store) {
    auto file = store.NewFile();
    file->Write("frame");
    store.PutPackage(HashOf("key"), {"zstd/1", 512, 5, HashOf("frame")}, "facts", file.get());
  }
  static void PutDownload(Store& store) {
    auto partial = store.OpenDownload(HashOf("download"));
    partial->Write(std::string_view("download"));
    partial->Publish();
  }

  support::TempFolder folder_;
  fs::path root_ = folder_.path() / "cache";
};

TEST_F(UnwritableTest, AFileInTheWayOfTheCache) {
  std::ofstream(root_) << "a file in the way";
  EXPECT_EQ(Complaint(root_, [&] { Store store(root_); }), "");
  EXPECT_EQ(Complaint(root_, [&] { Store store(root_ / "below"); }), "");
}

TEST_F(UnwritableTest, AFileSystemThatTakesNoFolders) {
  EXPECT_EQ(Complaint("/proc/none", [&] { Store store("/proc/none/cache"); }), "");
}

TEST_F(UnwritableTest, AFileInTheWayOfEachFolder) {
  Store store(root_);
  for (const char* name : {"downloads", "frames", "packages", "blobs", "actions", "index"}) {
    std::ofstream(root_ / name) << "in the way";
  }
  EXPECT_EQ(Complaint(root_, [&] { PutDownload(store); }), "");
  EXPECT_EQ(Complaint(root_, [&] { PutPackage(store); }), "");
  EXPECT_EQ(Complaint(root_, [&] { store.PutBlob(HashOf("b"), "b"); }), "");
  EXPECT_EQ(Complaint(root_, [&] { store.PutAction(HashOf("a"), "a"); }), "");
  EXPECT_EQ(Complaint(root_, [&] { (void)store.IndexDirectory("x"); }), "");
  EXPECT_FALSE(store.FindPackage(HashOf("key"), "zstd/1"));
  EXPECT_FALSE(store.FindBlob(HashOf("b"), 1));
  EXPECT_FALSE(store.FindDownload(HashOf("download")));
  EXPECT_TRUE(store.Verify().empty());
}

TEST_F(UnwritableTest, FoldersThatAreFilesNow) {
  Store store(root_);
  for (const char* name : {"tmp", "partial", "locks", "trees"}) {
    fs::remove_all(root_ / name);
    std::ofstream(root_ / name) << "in the way";
  }
  EXPECT_EQ(Complaint(root_, [&] { (void)store.NewFile(); }), "");
  EXPECT_EQ(Complaint(root_, [&] { (void)store.NewDirectory(); }), "");
  EXPECT_EQ(Complaint(root_, [&] { (void)store.OpenDownload(HashOf("d")); }), "");
  EXPECT_EQ(Complaint(root_, [&] { (void)store.Lock("layer", HashOf("x")); }), "");
  EXPECT_EQ(Complaint(root_, [&] { Store again(root_); }), "");
}

// As a user without rights, in a child where we are root.
TEST_F(UnwritableTest, RightsThatAreMissing) {
  {
    Store store(root_);
    store.PutBlob(HashOf("b"), "b");
    store.PutAction(HashOf("a"), "a");
  }
  for (const auto& entry : fs::recursive_directory_iterator(root_)) {
    if (entry.is_directory()) fs::permissions(entry.path(), fs::perms(0555));
  }
  fs::permissions(root_, fs::perms(0555));
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(1);
    int status = 0;
    try {
      Store store(root_);  // reading goes on
      if (!store.FindBlob(HashOf("b"), 1) || !store.FindAction(HashOf("a"))) status = 2;
      if (Complaint(root_, [&] { (void)store.NewFile(); }) != "") status = 3;
      if (Complaint(root_, [&] { PutDownload(store); }) != "") status = 4;
      if (Complaint(root_, [&] { (void)store.Lock("layer", HashOf("x")); }) != "") status = 5;
      if (Complaint(root_, [&] { Store below(root_ / "blobs" / "x"); }) != "") status = 6;
    } catch (const std::exception&) {
      status = 7;
    }
    _exit(status);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  for (const auto& entry : fs::recursive_directory_iterator(root_)) {
    if (entry.is_directory()) fs::permissions(entry.path(), fs::perms(0755));
  }
  fs::permissions(root_, fs::perms(0755));
}

}  // namespace
}  // namespace imgbuild::layers
