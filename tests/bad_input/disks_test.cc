// Disks that are full, and folders that are somebody else's.
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/bad_input/bad_input_fixture.h"

namespace imgbuild::bad_input {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr uid_t kNobody = 65534;

// Root may write everywhere; then the program runs as nobody.
class NotMine : public BadInput {
 protected:
  void SetUp() override {
    if (geteuid() == 0) {
      fs::permissions(folder_.path(), fs::perms(0755));
      Own(project());
      Own(project() / "small.toml");
      ASSERT_EQ(mkdir((folder_.path() / "cache").c_str(), 0755), 0);
      Own(cache());
    }
    Invocation version = Mine({"--version"});
    if (whole_build::Execute(world_, version).status == 127) {
      GTEST_SKIP() << "the program lies where nobody may not go";
    }
  }
  void TearDown() override {
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
      if (entry.is_directory()) fs::permissions(entry.path(), fs::perms(0755));
    }
  }

  static void Own(const fs::path& path) {
    ASSERT_EQ(chown(path.c_str(), kNobody, kNobody), 0) << path;
  }
  Invocation Mine(const std::vector<std::string>& arguments) const {
    Invocation run = Command(arguments);
    if (geteuid() == 0) run.user = kNobody;
    return run;
  }
  // A folder that can be read alone.
  fs::path Closed(const fs::path& folder) const {
    fs::create_directories(folder);
    fs::permissions(folder, fs::perms(0555));
    return folder;
  }
  void ExpectNobodyAsked() const { EXPECT_EQ(world_.requests(), 0u) << "found after work"; }
};

TEST_F(NotMine, ACacheThatCannotBeMade) {
  Invocation run = Mine({"build", "small.toml", "--plain"});
  run.cache = Closed(folder_.path() / "closed") / "cache";
  const std::string output = Fail(run, kFailure);
  EXPECT_THAT(output, HasSubstr("Permission denied"));
  EXPECT_THAT(output, HasSubstr("--cache-dir"));
  ExpectNobodyAsked();
  fs::permissions(folder_.path() / "closed", fs::perms(0777));
  EXPECT_EQ(whole_build::Execute(world_, run).status, 0);
}

TEST_F(NotMine, ACacheThatCannotBeWritten) {
  Invocation run = Mine({"build", "small.toml", "--plain"});
  Closed(cache());
  EXPECT_THAT(Fail(run, kFailure), HasSubstr("--cache-dir"));
  fs::permissions(cache(), fs::perms(0755));
  EXPECT_EQ(whole_build::Execute(world_, run).status, 0);
}

TEST_F(NotMine, PartsOfTheCacheThatCannotBeWritten) {
  const Invocation run = Mine({"build", "small.toml", "--plain", "-q"});
  ASSERT_EQ(whole_build::Execute(world_, Mine({"lock", "small.toml", "-q"})).status, 0);
  // "partial" first: what fails for the others may have fetched everything by then.
  for (const char* part : {"partial", "tmp", "locks"}) {
    Closed(cache() / part);
    EXPECT_THAT(Fail(run, kFailure), HasSubstr("cannot ")) << part;
    fs::permissions(cache() / part, fs::perms(0755));
    fs::remove_all(project() / "small.oci");
  }
  EXPECT_EQ(whole_build::Execute(world_, run).status, 0);
  ExpectSoundCache();
}

TEST_F(NotMine, AnOutputFolderIsFoundBeforeTheWork) {
  Closed(project() / "closed");
  for (const char* output : {"oci:closed/out", "oci:closed", "oci-archive:closed/out.tar",
                             "docker-archive:closed/out.tar"}) {
    const std::string message = Fail(Mine({"build", "small.toml", "-q", "-o", output}), kFailure);
    EXPECT_THAT(message, HasSubstr("Permission denied"));
    EXPECT_THAT(message, HasSubstr(std::string("for the output ") + output));
    EXPECT_FALSE(fs::exists(lock()));
  }
  ExpectNobodyAsked();
}

TEST_F(NotMine, ALayoutOfSomebodyElseIsFoundBeforeTheWork) {
  const Invocation run = Mine({"build", "small.toml", "-q"});
  ASSERT_EQ(whole_build::Execute(world_, run).status, 0);
  world_.Restart();
  Closed(project() / "small.oci");
  const Ended ended = whole_build::Execute(world_, run);
  EXPECT_EQ(ended.status, kFailure);
  EXPECT_THAT(ended.output, HasSubstr("Permission denied"));
  fs::permissions(project() / "small.oci", fs::perms(0755));
  EXPECT_EQ(whole_build::Execute(world_, run).status, 0);
}

TEST_F(NotMine, ALockThatCannotBeWrittenIsFoundBeforeTheWork) {
  fs::create_directories(project() / "out");
  fs::permissions(project() / "out", fs::perms(0777));
  Closed(project());
  const std::string message =
      Fail(Mine({"build", "small.toml", "-q", "-o", "oci:out/x"}), kFailure);
  EXPECT_THAT(message, HasSubstr("small.lock"));
  EXPECT_THAT(message, HasSubstr("Permission denied"));
  ExpectNobodyAsked();
  fs::permissions(project(), fs::perms(0755));
}

TEST_F(NotMine, ASpecThatCannotBeRead) {
  fs::permissions(project() / "small.toml", fs::perms(0));
  EXPECT_THAT(Fail(Mine({"build", "small.toml", "-q"}), kFailure),
              HasSubstr("cannot read small.toml: Permission denied"));
}

TEST_F(BadInput, AFileSizeLimit) {
  Invocation run = Build();
  run.most_file_size = 600'000;
  const std::string output = Fail(run, kFailure);
  EXPECT_THAT(output, HasSubstr("File too large"));
  ExpectSoundCache();
  Succeed(Build());
}

// A small file system of its own, where this process may mount one.
class Mounted {
 public:
  Mounted(fs::path place, const std::string& size) : place_(std::move(place)) {
    fs::create_directories(place_);
    good_ = mount("tmpfs", place_.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
  }
  ~Mounted() {
    if (good_) umount2(place_.c_str(), MNT_DETACH);
  }
  Mounted(const Mounted&) = delete;
  Mounted& operator=(const Mounted&) = delete;

  bool good() const { return good_; }
  void Grow(const std::string& size) const {
    ASSERT_EQ(mount("tmpfs", place_.c_str(), "tmpfs", MS_REMOUNT, ("size=" + size).c_str()), 0);
  }

 private:
  fs::path place_;
  bool good_ = false;
};

// The size decides where the space ends: at the package lists, downloads, frames, layers.
class FullDisk : public BadInput, public testing::WithParamInterface<const char*> {};

TEST_P(FullDisk, UnderTheCache) {
  const Mounted disk(cache(), GetParam());
  if (!disk.good()) GTEST_SKIP() << "no file system can be mounted here";
  const std::string output = Fail(Build(), kFailure);
  EXPECT_THAT(output, HasSubstr("No space left on device"));
  EXPECT_THAT(output, HasSubstr("hint: the disk is full"));
  disk.Grow("64m");
  ExpectSoundCache();
  Succeed(Build());
}

INSTANTIATE_TEST_SUITE_P(Sizes, FullDisk,
                         testing::Values("16k", "64k", "256k", "1200k", "1600k", "2600k", "3700k"));

class FullOutput : public BadInput, public testing::WithParamInterface<const char*> {};

TEST_P(FullOutput, HasNoImage) {
  Succeed(Build());
  const Mounted disk(project() / "out", GetParam());
  if (!disk.good()) GTEST_SKIP() << "no file system can be mounted here";
  fs::remove_all(project() / "small.oci");
  for (const char* output : {"oci:out/x", "oci-archive:out/x.tar", "docker-archive:out/x.tar"}) {
    Invocation run = Build();
    run.arguments.insert(run.arguments.end(), {"-o", output});
    EXPECT_THAT(Fail(run, kFailure), HasSubstr("No space left on device")) << output;
    EXPECT_FALSE(fs::exists(project() / "out/x/index.json"));
    fs::remove_all(project() / "out/x");
  }
  disk.Grow("64m");
  Invocation run = Build();
  run.arguments.insert(run.arguments.end(), {"-o", "oci:out/x"});
  EXPECT_EQ(whole_build::Execute(world_, run).status, 0);
}

INSTANTIATE_TEST_SUITE_P(Sizes, FullOutput, testing::Values("8k", "64k", "1m"));

}  // namespace
}  // namespace imgbuild::bad_input
