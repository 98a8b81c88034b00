#include "builder/rootless/user_namespace.h"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "builder/rootless/child_error.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

TEST(ChildError, ComesBackWhole) {
  const specs::Error error =
      specs::Error(specs::ErrorKind::kVerification, "what").Found("a").Expected("b").Hint("c");
  const auto again = ParseError(RenderError(error));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->kind(), specs::ErrorKind::kVerification);
  EXPECT_STREQ(again->what(), error.what());
  EXPECT_FALSE(ParseError(""));
  EXPECT_EQ(ParseError("cut short")->message(), "cut short");
}

TEST(NoUserNamespace, NamesTheSwitchThatIsOff) {
  std::string name = (fs::temp_directory_path() / "proc-sys-XXXXXX").string();
  const fs::path folder = mkdtemp(name.data());
  fs::create_directories(folder / "kernel");
  fs::create_directories(folder / "user");
  std::ofstream(folder / "kernel/unprivileged_userns_clone") << "1\n";
  std::ofstream(folder / "user/max_user_namespaces") << "0\n";
  const specs::Error off = NoUserNamespace(folder, ENOSPC);
  EXPECT_NE(off.found().find("user.max_user_namespaces is 0"), std::string::npos) << off.what();
  EXPECT_NE(off.hint().find("user.max_user_namespaces=15000"), std::string::npos) << off.what();
  std::ofstream(folder / "user/max_user_namespaces") << "100\n";
  std::ofstream(folder / "kernel/apparmor_restrict_unprivileged_userns") << "1\n";
  EXPECT_NE(NoUserNamespace(folder, EACCES).hint().find("restrict_unprivileged_userns=0"),
            std::string::npos);
  EXPECT_NE(NoUserNamespace(folder / "none", EPERM).hint().find("container"), std::string::npos);
  fs::remove_all(folder);
}

class InNamespace : public testing::Test {
 protected:
  void SetUp() override {
    try {
      RunInNamespace(kMaps, [] {});
    } catch (const specs::Error& error) {
      GTEST_SKIP() << error.what();
    }
  }
  const IdMaps kMaps = SingleMaps({.uid = geteuid(), .gid = getegid()}, {.uid = 1000, .gid = 5});
};

TEST_F(InNamespace, TheCallerIsTheImagesUser) {
  EXPECT_NO_THROW(RunInNamespace(kMaps, [] {
    if (geteuid() != 1000 || getegid() != 5) throw specs::Error("somebody else");
  }));
  EXPECT_EQ(kMaps.uids.front().outside, geteuid());
}

TEST_F(InNamespace, ErrorsComeBack) {
  try {
    RunInNamespace(kMaps, [] { throw specs::Error("it failed").Hint("do this"); });
    FAIL() << "nothing was thrown";
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.message(), "it failed");
    EXPECT_EQ(error.hint(), "do this");
  }
  EXPECT_THROW(RunInNamespace(kMaps, [] { ::_exit(3); }), specs::Error);
}

TEST_F(InNamespace, SomeMapsAreAlwaysGranted) {
  const IdMaps maps =
      GrantedMaps({.uid = geteuid(), .gid = getegid()}, {.uid = geteuid(), .gid = getegid()});
  EXPECT_NO_THROW(RunInNamespace(maps, [] {}));
}

}  // namespace
}  // namespace imgbuild::builder
