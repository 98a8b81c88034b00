// Locks that people edit.
#include <gmock/gmock.h>

#include "layers/io/file.h"
#include "tests/bad_input/bad_input_fixture.h"

namespace imgbuild::bad_input {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class EditedLock : public BadInput {
 protected:
  void SetUp() override {
    const Ended ended = whole_build::Execute(world_, Command({"lock", "small.toml", "-q"}));
    ASSERT_EQ(ended.status, 0) << ended.output;
    right_ = layers::ReadFile(lock());
    fs::remove_all(cache());
  }

  // The lock with the first `what` after `after` replaced.
  std::string Edited(const std::string& after, const std::string& what,
                     const std::string& with) const {
    std::string text = right_;
    const std::size_t begin = text.find(after);
    const std::size_t at = begin == text.npos ? begin : text.find(what, begin);
    if (at == text.npos) throw std::runtime_error("the lock has no " + after + what);
    return text.replace(at, what.size(), with);
  }
  // With another hash of that archive.
  std::string WrongHash(const std::string& file) const {
    const std::string key = "sha256 = \"";
    const std::size_t at = right_.find(key, right_.find("file = \"" + file)) + key.size();
    return Edited("file = \"" + file, right_.substr(at, 8), kWrong);
  }

  // No layer, no image: nothing that others would take for whole.
  void ExpectNothingMade() const {
    std::size_t blobs = 0;
    std::error_code ignored;
    for (const auto& entry : fs::recursive_directory_iterator(cache() / "blobs", ignored)) {
      blobs += entry.is_regular_file() ? 1 : 0;
    }
    EXPECT_EQ(blobs, 0u);
    EXPECT_FALSE(fs::exists(cache() / "actions"));
    for (const char* folder : {"downloads", "partial"}) {
      for (const auto& entry : fs::recursive_directory_iterator(cache() / folder, ignored)) {
        if (!entry.path().filename().string().starts_with(kWrong)) continue;
        EXPECT_EQ(entry.file_size(), 0u) << entry.path() << " was kept";
      }
    }
  }

  static constexpr char kWrong[] = "00000000";
  std::string right_;
};

TEST_F(EditedLock, AWrongHashOfADebEndsBeforeAnythingIsMadeOfIt) {
  Write("small.lock", WrongHash("sed_1.0-1_all.deb"));
  Invocation run = Build();
  run.arguments.push_back("--locked");
  const std::string output = Fail(run, kVerification);
  EXPECT_THAT(output, HasSubstr("sed_1.0-1_all.deb"));
  EXPECT_THAT(output, HasSubstr("expected: SHA-256 00000000"));
  EXPECT_THAT(output, HasSubstr("lock --upgrade sed"));
  ExpectNothingMade();
  ExpectSoundCache();
  Write("small.lock", right_);
  Succeed(run);
}

TEST_F(EditedLock, AWrongHashOfAWheelEndsBeforeAnythingIsMadeOfIt) {
  Write("small.lock", WrongHash("starlette-0.36-py3-none-any.whl"));
  Invocation run = Build();
  run.arguments.push_back("--locked");
  EXPECT_THAT(Fail(run, kVerification), HasSubstr("lock --upgrade starlette"));
  ExpectNothingMade();
  ExpectSoundCache();
  Write("small.lock", right_);
  Succeed(run);
}

// The last platform's archive is wrong, and the first one's are right.
TEST_F(EditedLock, AWrongHashOfOnePlatformEndsBeforeALayerOfAnother) {
  std::string spec = kSpec;
  spec.replace(spec.find("\"linux/amd64\""), 13, "\"linux/amd64\", \"linux/arm64\"");
  Write("small.toml", spec);
  ASSERT_EQ(whole_build::Execute(world_, Command({"lock", "small.toml", "-q"})).status, 0);
  fs::remove_all(cache());
  right_ = layers::ReadFile(lock());
  Write("small.lock", WrongHash("libc6_2.36-9+deb12u1_arm64.deb"));
  EXPECT_THAT(Fail(Build(), kVerification), HasSubstr("libc6_2.36-9+deb12u1_arm64.deb"));
  ExpectNothingMade();
  ExpectSoundCache();
  Write("small.lock", right_);
  Succeed(Build());
}

// What the cache has under the right hash does not stand in for a wrong one.
TEST_F(EditedLock, AWrongHashFailsAlsoWhereTheRightArchiveIsCached) {
  Succeed(Build());
  fs::remove_all(project() / "small.oci");
  Write("small.lock", WrongHash("sed_1.0-1_all.deb"));
  Fail(Build(), kVerification);
  ExpectSoundCache();
  Write("small.lock", right_);
  Succeed(Build());
}

TEST_F(EditedLock, OfflineAWrongHashIsAnArchiveThatIsMissing) {
  Succeed(Build());
  fs::remove_all(project() / "small.oci");
  Write("small.lock", WrongHash("sed_1.0-1_all.deb"));
  Invocation run = Build();
  run.arguments.push_back("--offline");
  EXPECT_THAT(Fail(run, kFailure), HasSubstr("sed_1.0-1_all.deb"));
}

TEST_F(EditedLock, WhatIsNoLockIsToldWithItsPlace) {
  const std::vector<std::pair<std::string, std::string>> broken = {
      {right_.substr(0, right_.size() / 2), "small.lock:"},
      {"", "small.lock"},
      {Edited("", "sha256 = \"", "sha256 = \"xyz"), "small.lock:"},
      {Edited("", "size = ", "size = \"x\" #"), "small.lock:"},
      {"\xFF\xFE" + right_, "small.lock:1:1"},
  };
  for (const auto& [text, part] : broken) {
    Write("small.lock", text);
    const Ended ended = whole_build::Execute(world_, Build());
    EXPECT_THAT(ended.status, testing::AnyOf(kFailure, kUsage)) << part << ended.output;
    EXPECT_THAT(ended.output, HasSubstr(part));
    EXPECT_EQ(layers::ReadFile(lock()), text) << "it was replaced";
  }
  Write("small.lock", right_);
  Succeed(Build());
}

// Paths come from the lock too: none leads out of the mirror or the cache.
TEST_F(EditedLock, APathThatLeavesTheMirrorIsRefused) {
  Write("small.lock", Edited("file = \"sed_", "path = \"pool/", "path = \"../../pool/"));
  const Ended ended = whole_build::Execute(world_, Build());
  EXPECT_EQ(ended.status, kUsage) << ended.output;
  EXPECT_THAT(ended.output, HasSubstr("expected one below the mirror"));
}

}  // namespace
}  // namespace imgbuild::bad_input
