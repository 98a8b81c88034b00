#include "builder/share/shared_places.h"

#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/share/record_text.h"
#include "layers/io/file.h"
#include "layers/store/package_record.h"
#include "layers/write/layer_info.h"
#include "specs/base/error.h"
#include "tests/support/quiet_progress.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using specs::HashOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// What it is told to know.
class FakePlace : public CachePlace {
 public:
  struct Content {
    std::map<EntryName, CacheEntry> entries;
    std::map<specs::Sha256, std::string> blobs;
    std::string down;  // why nothing can be asked; "" while it can
    int asked = 0;
  };

  FakePlace(std::string name, Content& content) : name_(std::move(name)), content_(content) {}

  const std::string& name() const override { return name_; }
  std::optional<CacheEntry> Find(const EntryName& name) override {
    {
      std::lock_guard lock(mutex_);
      ++content_.asked;
    }
    if (!content_.down.empty()) throw specs::Error(content_.down);
    const auto found = content_.entries.find(name);
    return found == content_.entries.end() ? std::nullopt : std::optional(found->second);
  }
  bool Read(const EntryBlob& blob, layers::Sink& sink,
            const std::function<void()>& restart) override {
    if (!content_.down.empty()) throw specs::Error(content_.down);
    const auto found = content_.blobs.find(blob.digest);
    if (found == content_.blobs.end()) return false;
    restart();
    sink.Write(std::string_view(found->second).substr(0, blob.size / 2));  // cut, then once more
    restart();
    sink.Write(found->second);
    return true;
  }
  std::uint64_t bytes_received() const override { return 0; }

 private:
  std::string name_;
  Content& content_;
  std::mutex mutex_;  // of `asked`
};

class SharedPlacesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::unique_ptr<CachePlace>> places;
    places.push_back(std::make_unique<FakePlace>("first", first_));
    places.push_back(std::make_unique<FakePlace>("second", second_));
    shared_ = std::make_unique<SharedPlaces>(std::move(places), progress_);
  }

  // A layer of these bytes under HashOf(key).
  static specs::Descriptor PutLayer(FakePlace::Content& place, const std::string& key,
                                    const std::string& bytes) {
    const layers::LayerInfo info{HashOf(bytes), bytes.size(), HashOf("plain"), 99};
    place.entries[{EntryKind::kLayer, HashOf(key)}] = {
        .document = layers::RenderLayerInfo(info), .blobs = {{"layer", info.digest, info.size}}};
    place.blobs[info.digest] = bytes;
    return {.media_type = {},
            .digest = info.digest,
            .size = info.size,
            .platform = {},
            .annotations = {}};
  }

  static layers::FrameRecord PutPackage(FakePlace::Content& place, const std::string& key,
                                        const std::string& frame) {
    const layers::FrameRecord record{
        .codec = "c/1", .tar_size = 1024, .compressed_size = frame.size(), .digest = HashOf(frame)};
    const std::string packed = PackRecord(layers::RenderPackage(record, "facts of " + key));
    place.entries[{EntryKind::kPackage, PackageEntryKey(HashOf(key), "c/1")}] = {
        .document = {},
        .blobs = {{"record", HashOf(packed), packed.size()},
                  {"frame", record.digest, frame.size()}}};
    place.blobs[HashOf(packed)] = packed;
    place.blobs[record.digest] = frame;
    return record;
  }

  support::TempFolder folder_;
  layers::Store store_{folder_.path() / "cache"};
  support::QuietProgress progress_;
  FakePlace::Content first_;
  FakePlace::Content second_;
  std::unique_ptr<SharedPlaces> shared_;
};

TEST_F(SharedPlacesTest, TheFirstThatKnowsIsBelieved) {
  const specs::Descriptor layer = PutLayer(first_, "both", "one");
  PutLayer(second_, "both", "two");
  const specs::Descriptor other = PutLayer(second_, "second", "three");
  EXPECT_EQ(shared_->FindLayer(HashOf("both"))->digest, layer.digest);
  EXPECT_EQ(shared_->FindLayer(HashOf("second"))->digest, other.digest);
  EXPECT_FALSE(shared_->FindLayer(HashOf("neither")));
  EXPECT_TRUE(shared_->FetchBlobs({layer, other}, store_));
  EXPECT_EQ(layers::ReadFile(*store_.FindBlob(other.digest, other.size)), "three");
  EXPECT_FALSE(shared_->broke_promise());
  EXPECT_THAT(progress_.lines(), IsEmpty());
}

TEST_F(SharedPlacesTest, WhatIsDownIsToldOfOnceAndLeftAlone) {
  first_.down = "no route";
  const specs::Descriptor layer = PutLayer(second_, "key", "bytes");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(shared_->FindLayer(HashOf("key"))->digest, layer.digest);
  EXPECT_EQ(first_.asked, 1);
  EXPECT_THAT(progress_.lines(), ElementsAre("the cache first is not used any more: no route"));
}

TEST_F(SharedPlacesTest, WrongBytesArePublishedNowhere) {
  for (const std::string& lie :
       {std::string("bytEs"), std::string("byt"), std::string("bytes and"), std::string()}) {
    SetUp();
    const specs::Descriptor layer = PutLayer(first_, "key", "bytes");
    first_.blobs[layer.digest] = lie;
    ASSERT_TRUE(shared_->FindLayer(HashOf("key")));
    EXPECT_FALSE(shared_->FetchBlobs({layer}, store_));
    EXPECT_FALSE(store_.FindBlob(layer.digest, layer.size));
    EXPECT_TRUE(shared_->broke_promise());
    EXPECT_FALSE(shared_->FindLayer(HashOf("key")));
  }
}

// Gone since: the place itself is as good as before.
TEST_F(SharedPlacesTest, ABrokenPromiseIsNotMadeAgain) {
  const specs::Descriptor layer = PutLayer(first_, "key", "bytes");
  const specs::Descriptor other = PutLayer(first_, "other", "others");
  first_.blobs.erase(layer.digest);
  ASSERT_TRUE(shared_->FindLayer(HashOf("key")));
  EXPECT_FALSE(shared_->FetchBlobs({layer}, store_));
  EXPECT_TRUE(shared_->broke_promise());
  EXPECT_FALSE(shared_->FindLayer(HashOf("key")));
  EXPECT_TRUE(shared_->FindLayer(HashOf("other")));
  EXPECT_TRUE(shared_->FetchBlobs({other}, store_));
}

TEST_F(SharedPlacesTest, NothingComesThatNobodyPromised) {
  const specs::Descriptor layer = PutLayer(first_, "key", "bytes");
  EXPECT_FALSE(shared_->FetchBlobs({layer}, store_));
  EXPECT_FALSE(store_.FindBlob(layer.digest, layer.size));
}

TEST_F(SharedPlacesTest, PackagesComeWithTheirFrames) {
  const layers::FrameRecord frame = PutPackage(second_, "numpy", "frame bytes");
  const auto found = shared_->FindPackages({HashOf("pip"), HashOf("numpy")}, "c/1");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_FALSE(found[0]);
  ASSERT_TRUE(found[1]);
  EXPECT_EQ(layers::ParsePackage(*found[1])->facts, "facts of numpy");
  EXPECT_EQ(layers::ParsePackage(*found[1])->frame, frame);
  EXPECT_FALSE(shared_->FindPackages({HashOf("numpy")}, "c/2")[0]);
  EXPECT_TRUE(shared_->FetchFrames({frame}, store_));
  EXPECT_TRUE(store_.HasFrame(frame));
}

TEST_F(SharedPlacesTest, APackageWhoseFrameIsGoneIsNotPromisedAgain) {
  const layers::FrameRecord frame = PutPackage(first_, "numpy", "frame bytes");
  first_.blobs.erase(frame.digest);
  ASSERT_TRUE(shared_->FindPackages({HashOf("numpy")}, "c/1")[0]);
  EXPECT_FALSE(shared_->FetchFrames({frame}, store_));
  EXPECT_FALSE(shared_->FindPackages({HashOf("numpy")}, "c/1")[0]);
}

TEST_F(SharedPlacesTest, EntriesThatAreNoneCostThePlaceItsName) {
  const specs::Sha256 key = HashOf("key");
  const std::string packed = "no frame";
  const std::vector<std::pair<EntryName, CacheEntry>> wrong = {
      {{EntryKind::kLayer, key}, {.document = "words", .blobs = {}}},
      {{EntryKind::kLayer, key},  // the document and the blob say different things
       {.document = layers::RenderLayerInfo({HashOf("a"), 1, HashOf("b"), 2}),
        .blobs = {{"layer", HashOf("c"), 1}}}},
      {{EntryKind::kPackage, PackageEntryKey(key, "c/1")},
       {.document = {}, .blobs = {{"record", HashOf(packed), packed.size()}}}},
      {{EntryKind::kPackage, PackageEntryKey(key, "c/1")},
       {.document = {}, .blobs = {{"record", HashOf(packed), 1ull << 60}}}},
      {{EntryKind::kImage, key},
       {.document = {},
        .blobs = {{"manifest.0", HashOf(packed), packed.size()},
                  {"config.0", HashOf(packed), packed.size()}}}},
  };
  for (const auto& [name, entry] : wrong) {
    SetUp();
    first_ = {};
    first_.entries[name] = entry;
    first_.blobs[HashOf(packed)] = packed;
    EXPECT_FALSE(shared_->FindLayer(key));
    EXPECT_FALSE(shared_->FindImage(key));
    EXPECT_FALSE(shared_->FindPackages({key}, "c/1")[0]);
    EXPECT_THAT(progress_.lines().back(), HasSubstr("first is not used any more"));
  }
}

TEST_F(SharedPlacesTest, AnArchiveIsWhatItsDigestSays) {
  const specs::Sha256 right = HashOf("archive");
  const specs::Sha256 claimed = HashOf("another");
  first_.entries[{EntryKind::kArchive, right}] = {.document = {}, .blobs = {{"archive", right, 7}}};
  first_.entries[{EntryKind::kArchive, claimed}] = {.document = {},
                                                    .blobs = {{"archive", right, 7}}};
  first_.blobs[right] = "archive";
  shared_->FetchArchives({right, claimed, HashOf("unknown")}, store_);
  EXPECT_EQ(layers::ReadFile(store_.FindDownload(right).value_or("")), "archive");
  EXPECT_FALSE(store_.FindDownload(claimed));
  EXPECT_EQ(shared_->Uses()[0].archives, 1u);
}

}  // namespace
}  // namespace imgbuild::builder
