#include "layers/store/store.h"

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layers/io/file.h"
#include "layers/store/package_record.h"
#include "layers/store/sealed_text.h"
#include "specs/base/error.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::HashOf;
using specs::Sha256;

class StoreTest : public testing::Test {
 protected:
  void Damage(const fs::path& path) { std::ofstream(path, std::ios::app) << "x"; }

  // In place, as through a hard link.
  void Overwrite(const fs::path& path, const std::string& bytes) {
    fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
    std::ofstream(path, std::ios::in | std::ios::out) << bytes;
  }

  FrameRecord PutPackage(Store& store, const Sha256& key, const std::string& frame) {
    FrameRecord record{"zstd/1", 1024, frame.size(), HashOf(frame)};
    std::unique_ptr<AtomicFile> file = store.NewFile();
    file->Write(frame);
    store.PutPackage(key, record, "the facts\nof it", file.get());
    return record;
  }

  support::TempFolder folder_;
  fs::path root_ = folder_.path() / "cache";
};

TEST_F(StoreTest, DropsWhatAnotherStoreHasOtherwise) {
  Store store(root_);
  Store right(folder_.path() / "right");
  PutPackage(store, HashOf("same"), "frame");
  PutPackage(right, HashOf("same"), "frame");
  PutPackage(store, HashOf("other"), "frame");
  PutPackage(right, HashOf("other"), "another frame");
  store.PutAction(HashOf("same"), "result");
  right.PutAction(HashOf("same"), "result");
  store.PutAction(HashOf("other"), "result");
  right.PutAction(HashOf("other"), "another result");
  store.PutAction(HashOf("only here"), "result");
  right.PutAction(HashOf("only there"), "result");
  EXPECT_EQ(store.DropDiffering(right), 2u);
  EXPECT_TRUE(store.FindPackage(HashOf("same"), "zstd/1"));
  EXPECT_FALSE(store.FindPackage(HashOf("other"), "zstd/1"));
  EXPECT_TRUE(store.FindAction(HashOf("same")));
  EXPECT_FALSE(store.FindAction(HashOf("other")));
  EXPECT_TRUE(store.FindAction(HashOf("only here")));
  EXPECT_FALSE(store.FindAction(HashOf("only there")));
  EXPECT_EQ(right.FindAction(HashOf("other")), "another result");
  EXPECT_EQ(store.DropDiffering(right), 0u);
}

TEST_F(StoreTest, FindsWhatWasPut) {
  Store store(root_);
  const Sha256 key = HashOf("key");
  EXPECT_FALSE(store.FindPackage(key, "zstd/1"));
  const FrameRecord record = PutPackage(store, key, "frame bytes");
  auto package = Store(root_).FindPackage(key, "zstd/1");
  ASSERT_TRUE(package);
  EXPECT_EQ(package->facts, "the facts\nof it");
  EXPECT_EQ(package->frame, record);
  EXPECT_EQ(ReadFile(package->frame_path), "frame bytes");
  EXPECT_FALSE(store.FindPackage(key, "gzip/1"));

  store.PutBlob(HashOf("blob"), "blob");
  EXPECT_TRUE(store.FindBlob(HashOf("blob"), 4));
  EXPECT_FALSE(store.FindBlob(HashOf("blob"), 5));

  store.PutAction(key, "result");
  EXPECT_EQ(store.FindAction(key), "result");
}

TEST_F(StoreTest, APackageIsFoundOnceItsFrameCame) {
  Store store(root_);
  const Sha256 key = HashOf("key");
  const FrameRecord record{"zstd/1", 1024, 11, HashOf("frame bytes")};
  store.PutPackage(key, record, "facts", nullptr);
  EXPECT_FALSE(store.FindPackage(key, "zstd/1"));
  EXPECT_FALSE(store.HasFrame(record));
  std::unique_ptr<AtomicFile> file = store.NewFile();
  file->Write("frame bytes");
  store.PutFrame(record.digest, *file);
  EXPECT_TRUE(store.HasFrame(record));
  ASSERT_TRUE(store.FindPackage(key, "zstd/1"));
  EXPECT_TRUE(Store(root_).Verify().empty());
}

TEST(PackageRecord, IsReadAsItWasWritten) {
  const FrameRecord frame{"zstd/1.5/3", 4096, 77, HashOf("frame"), 40, 30};
  const std::string text = RenderPackage(frame, "facts\n\nof it");
  const std::optional<StoredPackage> read = ParsePackage(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->frame, frame);
  EXPECT_EQ(read->facts, "facts\n\nof it");
  EXPECT_EQ(read->frame_path, "");
  const std::string digest = HashOf("frame").Hex();
  for (const std::string& wrong :
       {std::string(), std::string("\n"), text.substr(0, text.find('\n')),
        "zstd/1 1 2 " + digest.substr(1) + " 0 0\nfacts", "zstd/1 -1 2 " + digest + " 0 0\nfacts",
        "zstd/1 1 2 " + digest + " 0 0 0\nfacts",
        "zstd/1 1 99999999999999999999 " + digest + " 0 0\n", "zstd/1 1 2 " + digest + " 0\n",
        "zstd/1 1 2 " + digest + " 3 0\n", "zstd/1 1 2 " + digest + " 1 2\n",
        "zstd/1 1 2 " + digest + " 1 18446744073709551615\n"}) {
    EXPECT_FALSE(ParsePackage(wrong)) << wrong;
  }
}

TEST_F(StoreTest, DoesNotFindDamagedRecords) {
  Store store(root_);
  const Sha256 key = HashOf("key");
  PutPackage(store, key, "frame bytes");
  store.PutAction(key, "result");
  Damage(store.paths().Action(key));
  EXPECT_FALSE(store.FindAction(key));
  Damage(store.paths().Frame(HashOf("frame bytes")));
  EXPECT_FALSE(store.FindPackage(key, "zstd/1"));
}

TEST_F(StoreTest, VerifyRemovesWhatIsWrong) {
  Store store(root_);
  store.PutBlob(HashOf("good"), "good");
  store.PutBlob(HashOf("bad"), "bad");
  store.PutAction(HashOf("key"), "result");
  Overwrite(store.paths().Blob(HashOf("bad")), "bud");
  Damage(store.paths().Action(HashOf("key")));
  EXPECT_EQ(store.Verify().size(), 2u);
  EXPECT_TRUE(store.FindBlob(HashOf("good"), 4));
  EXPECT_TRUE(store.Verify().empty());
}

TEST_F(StoreTest, DownloadsGoOnWhereTheyStopped) {
  Store store(root_);
  const Sha256 digest = HashOf("whole archive");
  {
    auto partial = store.OpenDownload(digest);
    partial->Write(std::string_view("whole "));
  }
  EXPECT_FALSE(store.FindDownload(digest));
  auto partial = store.OpenDownload(digest);
  ASSERT_EQ(partial->size(), 6u);
  partial->Write(std::string_view("archive"));
  ASSERT_EQ(partial->Digest(), digest);
  partial->Publish();
  partial.reset();
  ASSERT_TRUE(store.FindDownload(digest));
  EXPECT_TRUE(store.OpenDownload(digest)->AlreadyThere());
}

TEST_F(StoreTest, AFullDiskLetsTheDigestNotRunAhead) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{250'000, 250'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    Store store(root_);
    auto partial = store.OpenDownload(HashOf("x"));
    int status = 1;
    try {
      partial->Write(std::string(300'000, 'a'));
    } catch (const specs::Error&) {
      const bool agrees =
          partial->size() == 250'000 && partial->Digest() == HashOf(std::string(250'000, 'a'));
      status = agrees ? 0 : 2;
    }
    _exit(status);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(StoreTest, BlobsAreReadOnly) {
  Store store(root_);
  store.PutBlob(HashOf("blob"), "blob");
  struct stat status {};
  ASSERT_EQ(stat(store.paths().Blob(HashOf("blob")).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0222, 0u);
  EXPECT_NE(status.st_mode & 0400, 0u);
  store.PutBlob(HashOf("blob"), "blob");  // again, over the read-only one
}

TEST_F(StoreTest, AFrameThatIsALayerBecomesABlobWithoutACopy) {
  Store store(root_);
  EXPECT_FALSE(store.PutFrameAsBlob(HashOf("frame")));
  const auto file = store.NewFile();
  file->Write("frame");
  store.PutFrame(HashOf("frame"), *file);
  store.PutBlob(HashOf("frame"), "short");  // what lies there is replaced
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(store.PutFrameAsBlob(HashOf("frame")));
    struct stat blob {};
    struct stat frame {};
    ASSERT_EQ(stat(store.paths().Blob(HashOf("frame")).c_str(), &blob), 0);
    ASSERT_EQ(stat(store.paths().Frame(HashOf("frame")).c_str(), &frame), 0);
    EXPECT_EQ(blob.st_ino, frame.st_ino);
    EXPECT_EQ(blob.st_mode & 0222, 0u);
  }
  EXPECT_TRUE(store.IsFresh(HashOf("frame")));
  EXPECT_TRUE(fs::is_empty(store.paths().Temporary()));
  EXPECT_TRUE(store.Verify().empty());
}

TEST_F(StoreTest, ADownloadIsVerifiedUntilItsFileChanges) {
  Store store(root_);
  const Sha256 digest = HashOf("archive");
  EXPECT_FALSE(store.IsVerified(digest));
  const auto partial = store.OpenDownload(digest);
  partial->Write(std::string_view("archive"));
  ASSERT_EQ(partial->Digest(), digest);
  store.PutDownload(digest, *partial);
  EXPECT_TRUE(store.IsVerified(digest));
  EXPECT_TRUE(Store(root_).IsVerified(digest));
  usleep(20'000);  // the clock of file times is coarse
  Overwrite(store.paths().Download(digest), "ARCHIVE");
  EXPECT_FALSE(store.IsVerified(digest));
  EXPECT_FALSE(Store(root_).IsVerified(digest));
  store.NoteVerified(digest, *FileStamp::Of(store.paths().Download(digest)));
  EXPECT_TRUE(Store(root_).IsVerified(digest));
}

TEST_F(StoreTest, RecheckRemovesWhatIsWrongAndKeepsTheRest) {
  Store store(root_);
  const Sha256 digest = HashOf("blob");
  store.PutBlob(digest, "blob");
  EXPECT_TRUE(store.RecheckBlob(digest));
  Overwrite(store.paths().Blob(digest), "blab");
  ASSERT_TRUE(store.FindBlob(digest, 4));
  EXPECT_FALSE(store.RecheckBlob(digest));
  EXPECT_FALSE(store.FindBlob(digest, 4));
  EXPECT_FALSE(store.RecheckBlob(digest));

  auto partial = store.OpenDownload(digest);
  partial->Write(std::string_view("blob"));
  partial->Publish();
  partial.reset();
  EXPECT_TRUE(store.RecheckDownload(digest));
  Overwrite(store.paths().Download(digest), "blab");
  EXPECT_FALSE(store.RecheckDownload(digest));
  EXPECT_FALSE(store.FindDownload(digest));

  PutPackage(store, HashOf("key"), "frame");
  EXPECT_TRUE(store.RecheckFrame(HashOf("frame")));
  Overwrite(store.paths().Frame(HashOf("frame")), "frume");
  ASSERT_TRUE(store.FindPackage(HashOf("key"), "zstd/1"));
  EXPECT_FALSE(store.RecheckFrame(HashOf("frame")));
  EXPECT_FALSE(store.FindPackage(HashOf("key"), "zstd/1"));
}

TEST_F(StoreTest, ADroppedPackageIsMadeAgain) {
  Store store(root_);
  PutPackage(store, HashOf("key"), "frame");
  store.DropPackage(HashOf("key"), "zstd/1");
  EXPECT_FALSE(store.FindPackage(HashOf("key"), "zstd/1"));
  store.DropPackage(HashOf("key"), "zstd/1");
  PutPackage(store, HashOf("key"), "frame");
  EXPECT_TRUE(store.FindPackage(HashOf("key"), "zstd/1"));
}

TEST_F(StoreTest, UnreadableRecordsAreMissing) {
  Store store(root_);
  fs::create_directories(store.paths().Action(HashOf("key")));
  EXPECT_FALSE(store.FindAction(HashOf("key")));
}

TEST_F(StoreTest, LeftoversOfADayAgoAreRemovedThoughOthersWork) {
  const Store other(root_);
  const fs::path old = root_ / "tmp" / ".imgbuild-tmp-old";
  const fs::path young = root_ / "tmp" / ".imgbuild-tmp-young";
  std::ofstream(old) << "x";
  std::ofstream(young) << "x";
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(48));
  Store store(root_);
  EXPECT_FALSE(fs::exists(old));
  EXPECT_TRUE(fs::exists(young));
}

TEST_F(StoreTest, RestartForgetsWhatWasWritten) {
  Store store(root_);
  auto partial = store.OpenDownload(HashOf("b"));
  partial->Write(std::string_view("aaa"));
  partial->Restart();
  partial->Write(std::string_view("b"));
  EXPECT_EQ(partial->Digest(), HashOf("b"));
}

TEST_F(StoreTest, TreesArePublishedWholeAndOnce) {
  Store store(root_);
  for (int i = 0; i < 2; ++i) {
    fs::path made = store.NewDirectory();
    std::ofstream(made / "file") << i;
    store.PutTree(HashOf("tree"), made);
    EXPECT_FALSE(fs::exists(made));
  }
  EXPECT_EQ(ReadFile(*store.FindTree(HashOf("tree")) / "file"), "0");
}

TEST_F(StoreTest, LocksExcludeEachOther) {
  Store store(root_);
  std::atomic<int> inside = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        EntryLock lock = store.Lock("test", HashOf("x"));
        EXPECT_EQ(++inside, 1);
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(StoreTest, KilledAtAnyInstantItIsNeverWrong) {
  for (int round = 0; round < 40; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      Store store(root_);
      for (int i = 0;; ++i) {
        const std::string text = std::to_string(round) + "/" + std::to_string(i);
        store.PutBlob(HashOf(text), text);
        PutPackage(store, HashOf(text), text);
        store.PutAction(HashOf(text), text);
        auto partial = store.OpenDownload(HashOf(text));
        if (!partial->AlreadyThere()) {
          partial->Write(std::string_view(text).substr(partial->size()));
          partial->Publish();
        }
        if (i % 8 == 7) {
          const fs::path tree = store.NewDirectory();
          std::ofstream(tree / "file") << text;
          store.PutTree(HashOf(text), tree);
        }
        store.RecheckBlob(HashOf(text));
      }
    }
    usleep(static_cast<useconds_t>(2'000 + round * 751));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  EXPECT_TRUE(Store(root_).Verify().empty());
  int rounds_that_published = 0;
  for (int round = 0; round < 40; ++round) {
    if (Store(root_).FindAction(HashOf(std::to_string(round) + "/0"))) ++rounds_that_published;
  }
  EXPECT_GT(rounds_that_published, 0);
}

TEST(SealedText, NoticesEveryChange) {
  const std::string sealed = Seal("text");
  EXPECT_EQ(Unseal(sealed), "text");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_NE(Unseal(changed), "text") << i;
    EXPECT_FALSE(Unseal(sealed.substr(0, i))) << i;
  }
}

}  // namespace
}  // namespace imgbuild::layers
