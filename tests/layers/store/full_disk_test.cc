// A disk that is full after some bytes: an Error, nothing published, nothing left behind.
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layers/store/store.h"
#include "specs/base/error.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::HashOf;

class FullDiskTest : public testing::Test {
 protected:
  // Files of this process end at `limit` bytes from now on: run in a child.
  static void LimitFiles(rlim_t limit) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limits{limit, limit};
    setrlimit(RLIMIT_FSIZE, &limits);
  }

  // Whether `action` throws an Error on a disk that takes `limit` bytes of a file, and the store
  // has as many files then as before.
  bool FailsCleanly(rlim_t limit, const std::function<void(Store&)>& action) {
    { Store store(root_); }
    const std::size_t before = Files();
    const pid_t child = fork();
    if (child == 0) {
      LimitFiles(limit);
      int status = 1;
      try {
        Store store(root_);
        action(store);
      } catch (const specs::Error&) {
        status = 0;
      } catch (const std::exception&) {
        status = 2;
      }
      _exit(status);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status) == 0 && Files() == before && Store(root_).Verify().empty();
  }

  std::size_t Files() const {
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      files += entry.is_regular_file() ? 1 : 0;
    }
    return files;
  }

  support::TempFolder folder_;
  fs::path root_ = folder_.path() / "cache";
  const std::string text_ = std::string(300'000, 'a');
};

TEST_F(FullDiskTest, PublishesNothing) {
  for (const rlim_t limit : {0, 1, 100'000, 299'999}) {
    EXPECT_TRUE(FailsCleanly(limit, [&](Store& store) { store.PutBlob(HashOf(text_), text_); }))
        << limit;
    EXPECT_TRUE(FailsCleanly(limit, [&](Store& store) { store.PutAction(HashOf("k"), text_); }))
        << limit;
    EXPECT_TRUE(FailsCleanly(limit, [&](Store& store) {
      const std::unique_ptr<AtomicFile> frame = store.NewFile();
      frame->Write(text_);
      store.PutPackage(HashOf("k"), {"zstd/1", 1, text_.size(), HashOf(text_)}, "facts",
                       frame.get());
    })) << limit;
    EXPECT_TRUE(FailsCleanly(limit, [&](Store& store) {
      store.PutPackage(HashOf("k"), {"zstd/1", 0, 0, HashOf("")}, text_, nullptr);
    })) << limit;
  }
}

TEST_F(FullDiskTest, KeepsWhatCameOfADownload) {
  const pid_t child = fork();
  if (child == 0) {
    LimitFiles(100'000);
    try {
      Store(root_).OpenDownload(HashOf(text_))->Write(text_);
    } catch (const specs::Error&) {
      _exit(0);
    }
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_EQ(WEXITSTATUS(status), 0);
  Store store(root_);
  EXPECT_FALSE(store.FindDownload(HashOf(text_)));
  auto partial = store.OpenDownload(HashOf(text_));
  ASSERT_EQ(partial->size(), 100'000u);
  partial->Write(text_.substr(100'000));
  EXPECT_EQ(partial->Digest(), HashOf(text_));
  partial->Publish();
  EXPECT_TRUE(store.RecheckDownload(HashOf(text_)));
}

}  // namespace
}  // namespace imgbuild::layers
