#include "builder/assemble/app_files.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class AppFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    top_ = fs::path(testing::TempDir()) / (std::string("app_files_") + info->name());
    fs::remove_all(top_);
    fs::create_directories(top_);
  }
  void TearDown() override { fs::remove_all(top_); }

  void Write(const std::string& path, const std::string& text = "x") {
    fs::create_directories((top_ / path).parent_path());
    std::ofstream(top_ / path) << text;
  }

  AppFiles Read(const std::string& from, const std::string& to = "/srv/app",
                std::vector<std::string> exclude = {}) {
    return ReadAppFiles({.from = (top_ / from).string(), .to = to, .exclude = std::move(exclude)});
  }

  static std::vector<std::string> Paths(const AppFiles& files) {
    std::vector<std::string> paths;
    for (const auto& [path, file] : files.tree) paths.push_back(path);
    return paths;
  }

  fs::path top_;
};

TEST_F(AppFilesTest, LeavesOutWhatNobodyWantsInAnImage) {
  Write("app/main.py");
  Write("app/.env", "SECRET=1");
  Write("app/.env.example");
  Write("app/.git/config");
  Write("app/.venv/bin/python");
  Write("app/__pycache__/main.cpython-311.pyc");
  Write("app/notes.tmp");
  Write("app/sub/.gitignore", "big.dat\n");
  Write("app/sub/big.dat");
  Write("app/sub/small.dat");
  EXPECT_THAT(Paths(Read("app", "/srv/app", {"*.tmp"})),
              ElementsAre("srv/app", "srv/app/.env.example", "srv/app/main.py", "srv/app/sub",
                          "srv/app/sub/.gitignore", "srv/app/sub/small.dat"));
}

TEST_F(AppFilesTest, FollowsTheRepositorysIgnoreFilesAbove) {
  Write("repo/.git/HEAD");
  Write("repo/.gitignore", "/services/app/secret.txt\n*.bak\n");
  Write("repo/services/app/main.py");
  Write("repo/services/app/secret.txt");
  Write("repo/services/app/old.bak");
  EXPECT_THAT(Paths(Read("repo/services/app")), ElementsAre("srv/app", "srv/app/main.py"));
}

// What is above does not depend on where the program was started.
TEST_F(AppFilesTest, ARelativePathFindsTheSameRulesAbove) {
  Write("repo/.git/HEAD");
  Write("repo/.gitignore", "*.bak\n");
  Write("repo/envs/app/main.py");
  Write("repo/envs/app/old.bak");
  const fs::path before = fs::current_path();
  for (const auto& [start, from] :
       std::vector<std::pair<std::string, std::string>>{{"repo", "envs/app"},
                                                        {"repo/envs", "app"},
                                                        {"repo/envs", "./app/"},
                                                        {"repo/envs/app", "."},
                                                        {"repo/envs/app", "../app"}}) {
    fs::current_path(top_ / start);
    EXPECT_THAT(Paths(ReadAppFiles({.from = from, .to = "/srv/app"})),
                ElementsAre("srv/app", "srv/app/main.py"))
        << from << " in " << start;
  }
  fs::current_path(before);
}

// gitignore(5): patterns of a deeper file win over those of one above.
TEST_F(AppFilesTest, ADeeperFileBringsBackWhatOneAboveIgnores) {
  Write("repo/.git/HEAD");
  Write("repo/.gitignore", "*.dat\n");
  Write("repo/services/.gitignore", "*.log\n");
  Write("repo/services/app/.gitignore", "!kept.dat\n");
  Write("repo/services/app/kept.dat");
  Write("repo/services/app/other.dat");
  Write("repo/services/app/x.log");
  Write("repo/services/app/sub/.gitignore", "!*.log\n");
  Write("repo/services/app/sub/y.log");
  EXPECT_THAT(Paths(Read("repo/services/app")),
              ElementsAre("srv/app", "srv/app/.gitignore", "srv/app/kept.dat", "srv/app/sub",
                          "srv/app/sub/.gitignore", "srv/app/sub/y.log"));
}

TEST_F(AppFilesTest, NoGitignoreBringsBackWhatTheSpecOrWeLeaveOut) {
  Write("app/.gitignore", "!*.csv\n!.env\n!.venv/\n.env.example\n");
  Write("app/.env", "SECRET=1");
  Write("app/.env.example");
  Write("app/.venv/bin/python");
  Write("app/big.csv");
  EXPECT_THAT(Paths(Read("app", "/srv/app", {"*.csv"})),
              ElementsAre("srv/app", "srv/app/.gitignore"));
}

// Such as what a build made.
TEST_F(AppFilesTest, TheSpecBringsBackWhatIsIgnored) {
  Write("app/.gitignore", "dist/\n");
  Write("app/dist/page.js");
  Write("app/dist/page.map");
  EXPECT_THAT(Paths(Read("app", "/srv/app", {"!dist/", "*.map"})),
              ElementsAre("srv/app", "srv/app/.gitignore", "srv/app/dist", "srv/app/dist/page.js"));
}

TEST_F(AppFilesTest, DigestDependsOnNamesAndContentsOnly) {
  Write("a/main.py", "print()");
  Write("b/main.py", "print()");
  chmod((top_ / "a/main.py").c_str(), 0600);
  chmod((top_ / "b/main.py").c_str(), 0664);
  EXPECT_EQ(Read("a").digest, Read("b").digest);
  chmod((top_ / "b/main.py").c_str(), 0700);
  EXPECT_NE(Read("a").digest, Read("b").digest);
  Write("a/main.py", "print(1)");
  EXPECT_NE(Read("a").digest, Read("b").digest);
}

TEST_F(AppFilesTest, ASingleFileGoesToAFileOrIntoADirectory) {
  Write("one.py");
  EXPECT_THAT(Paths(Read("one.py", "/srv/two.py")), ElementsAre("srv/two.py"));
  EXPECT_THAT(Paths(Read("one.py", "/srv/")), ElementsAre("srv/one.py"));
}

TEST_F(AppFilesTest, KeepsLinksInsideAndRefusesOthers) {
  Write("app/main.py");
  fs::create_symlink("main.py", top_ / "app/link.py");
  EXPECT_EQ(Read("app").tree.at("srv/app/link.py").node.target, "main.py");
  fs::create_symlink("../../outside", top_ / "app/bad");
  EXPECT_THROW(Read("app"), specs::Error);
}

TEST_F(AppFilesTest, SaysWhatIsMissingOrNoFile) {
  EXPECT_THROW(Read("missing"), specs::Error);
  mkfifo((top_ / "pipe").c_str(), 0600);
  EXPECT_THROW(Read("pipe"), specs::Error);
}

TEST_F(AppFilesTest, AFolderMayLieOverTheImagesRoot) {
  Write("root/etc/motd");
  Write("root/file");
  EXPECT_THAT(Paths(Read("root", "/")), ElementsAre("etc", "etc/motd", "file"));
  EXPECT_THAT(Paths(Read("root/file", "/")), ElementsAre("file"));
}

// Reading stops at the end that the file has then; nothing is mapped.
TEST_F(AppFilesTest, KeepsSizeAndDigestOfWhatWasRead) {
  Write("app/data", std::string(3'000'000, 'x'));
  const AppFiles files = Read("app");
  const layers::ContentFile& data = files.tree.at("srv/app/data");
  EXPECT_EQ(data.node.size, 3'000'000u);
  EXPECT_EQ(data.node.digest, specs::HashOf(std::string(3'000'000, 'x')));
  EXPECT_EQ(files.bytes, 3'000'000u);
}

}  // namespace
}  // namespace imgbuild::builder
