#include "layers/image/layout.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layers/image/placed_blobs.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "tests/layers/image/image_fixture.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using specs::HashOf;
using testing::HasSubstr;

class LayoutTest : public ImageTest {
 protected:
  std::string IndexText() const { return ReadFile(out_ / "index.json"); }
  fs::path InLayout(const specs::Sha256& digest) const {
    return out_ / "blobs/sha256" / digest.Hex();
  }
  fs::path PutForeign(const std::string& content) const {
    std::ofstream(InLayout(HashOf(content))) << content;
    return InLayout(HashOf(content));
  }
  // Adds an entry to index.json as another tool would.
  void AddForeignEntry(const std::string& entry) const {
    std::string text = IndexText();
    text.insert(text.rfind(']'), "," + entry);
    std::ofstream(out_ / "index.json") << text;
  }
  std::string ForeignEntry(const std::string& manifest, const std::string& more = "") const {
    return R"({ "digest" : ")" + HashOf(manifest).Oci() + R"(","size":1.0,"mediaType":"x/y")" +
           more + "}";
  }
  void ExpectWhole(const Image& image) const {
    EXPECT_EQ(ReadFile(out_ / "oci-layout"), kLayoutMarker);
    EXPECT_THAT(IndexText(), HasSubstr(image.root.digest.Oci()));
    for (const specs::Descriptor& blob : image.Blobs()) {
      EXPECT_EQ(HashOf(ReadFile(InLayout(blob.digest))), blob.digest);
    }
  }
};

TEST_F(LayoutTest, LayoutHasEveryBlobAndTag) {
  Image image = MakeImage("layer");
  LayoutResult result = WriteLayout(store_, image, out_, {"latest", "v1"});
  EXPECT_EQ(result.blobs_placed, 3u);
  EXPECT_EQ(ReadFile(out_ / "oci-layout"), kLayoutMarker);
  specs::ImageIndex index = specs::ParseImageIndex(ReadFile(out_ / "index.json"), "index");
  ASSERT_EQ(index.manifests.size(), 2u);
  EXPECT_EQ(index.manifests[0].annotations.at(std::string(specs::kAnnotationRefName)), "latest");
  for (const specs::Descriptor& blob : image.Blobs()) {
    EXPECT_EQ(HashOf(ReadFile(out_ / "blobs/sha256" / blob.digest.Hex())), blob.digest);
  }
}

// Whether some of the file is in memory alone: what a power loss takes. Nullopt where the file
// system does not tell.
std::optional<bool> IsUnwritten(const fs::path& path) {
  const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<std::byte> room(sizeof(fiemap) + 64 * sizeof(fiemap_extent));
  auto* map = reinterpret_cast<fiemap*>(room.data());
  map->fm_length = FIEMAP_MAX_OFFSET;
  map->fm_extent_count = 64;
  if (ioctl(fd.get(), FS_IOC_FIEMAP, map) != 0) return std::nullopt;
  for (std::uint32_t i = 0; i < map->fm_mapped_extents; ++i) {
    if ((map->fm_extents[i].fe_flags & FIEMAP_EXTENT_DELALLOC) != 0) return true;
  }
  return false;
}

TEST_F(LayoutTest, BlobsAreOnTheDiskWhenTheIndexNamesThem) {
  const fs::path fresh = out_.parent_path() / "unsynced";
  std::ofstream(fresh) << std::string(100'000, 'x');
  if (IsUnwritten(fresh) != true) GTEST_SKIP() << "this file system does not tell what is on disk";
  ASSERT_EQ(fsync(FileDescriptor(open(fresh.c_str(), O_RDONLY | O_CLOEXEC)).get()), 0);
  if (IsUnwritten(fresh) == true)
    GTEST_SKIP() << "this file system is told in vain: a volatile one";
  const Image image = MakeImage(std::string(3'000'000, 'x'));
  WriteLayout(store_, image, out_, {"latest"});
  for (const specs::Descriptor& blob : image.Blobs()) {
    EXPECT_EQ(IsUnwritten(InLayout(blob.digest)), false) << blob.digest.Hex();
  }
}

TEST_F(LayoutTest, WhatALayoutHoldsIsInUseUntilItIsGone) {
  const Image one = MakeImage("one");
  const Image two = MakeImage("two");
  const fs::path other = folder_.path() / "other.oci";
  WriteLayout(store_, one, out_, {"latest"});
  WriteLayout(store_, two, other, {"latest"});
  WriteLayout(store_, MakeImage("cached"), store_.paths().Index("engine") / "x.oci", {"latest"});
  const auto blobs_of = [](std::initializer_list<const Image*> images) {
    std::set<specs::Sha256> blobs;
    for (const Image* image : images) {
      for (const specs::Descriptor& blob : image->Blobs()) blobs.insert(blob.digest);
    }
    return blobs;
  };
  EXPECT_EQ(BlobsOfLayouts(store_.paths()), blobs_of({&one, &two}));
  fs::remove_all(other);
  EXPECT_EQ(BlobsOfLayouts(store_.paths()), blobs_of({&one}));
}

TEST_F(LayoutTest, AnUnchangedLayoutIsNotTouched) {
  Image image = MakeImage("layer");
  WriteLayout(store_, image, out_, {"latest"});
  auto written = fs::last_write_time(out_ / "index.json");
  EXPECT_EQ(WriteLayout(store_, image, out_, {"latest"}).blobs_placed, 0u);
  EXPECT_EQ(fs::last_write_time(out_ / "index.json"), written);
}

TEST_F(LayoutTest, TellsHowFarItIsWhereThereIsSomethingToPlace) {
  const Image image = MakeImage(std::string(1'000'000, 'x'));
  CountingMeter first, again, other;
  const LayoutResult result = WriteLayout(store_, image, out_, {"latest"}, &first);
  EXPECT_EQ(first.begun, 1);
  EXPECT_EQ(first.expected, result.bytes_placed);
  EXPECT_EQ(first.written.load(), result.bytes_placed);
  WriteLayout(store_, image, out_, {"latest"}, &again);
  EXPECT_EQ(again.begun, 0);
  // From elsewhere, with documents in memory.
  const ImageSource source = SourceOf(image, store_);
  WriteLayout(store_, source, folder_.path() / "other.oci", {"latest"}, &other);
  EXPECT_EQ(other.expected, first.expected);
  EXPECT_EQ(other.written.load(), first.expected);
}

TEST_F(LayoutTest, AChangedBlobIsReplaced) {
  Image image = MakeImage("layer");
  WriteLayout(store_, image, out_, {"latest"});
  const specs::Sha256 digest = image.platforms[0].manifest.layers[0].digest;
  const fs::path blob = out_ / "blobs/sha256" / digest.Hex();
  std::string bytes = ReadFile(blob);
  bytes[0] = static_cast<char>(bytes[0] ^ 1);
  fs::remove(blob);
  std::ofstream(blob, std::ios::binary) << bytes;
  EXPECT_EQ(WriteLayout(store_, image, out_, {"latest"}).blobs_placed, 1u);
  EXPECT_EQ(HashOf(ReadFile(blob)), digest);
}

TEST_F(LayoutTest, AMovedTagTakesItsOldBlobsAway) {
  WriteLayout(store_, MakeImage("one"), out_, {"latest"});
  std::ofstream(out_ / "blobs/sha256/foreign") << "kept";
  Image two = MakeImage("two");
  WriteLayout(store_, two, out_, {"latest"});
  EXPECT_EQ(Blobs(out_).size(), 4u);
  EXPECT_TRUE(Blobs(out_).contains("foreign"));
  WriteLayout(store_, MakeImage("three"), out_, {"other"});
  EXPECT_EQ(Blobs(out_).size(), 7u);
}

TEST_F(LayoutTest, RefusesADirectoryThatIsNoLayout) {
  fs::create_directories(out_);
  std::ofstream(out_ / "thesis.txt") << "precious";
  EXPECT_THROW(WriteLayout(store_, MakeImage("x"), out_, {"latest"}), specs::Error);
  EXPECT_EQ(ReadFile(out_ / "thesis.txt"), "precious");
}

TEST_F(LayoutTest, RefusesAFileInItsPlace) {
  std::ofstream(out_) << "precious";
  EXPECT_THROW(WriteLayout(store_, MakeImage("x"), out_, {"latest"}), specs::Error);
  EXPECT_EQ(ReadFile(out_), "precious");
}

// What a run that was killed before the marker leaves.
TEST_F(LayoutTest, TakesADirectoryOfTemporaryFilesAndRemovesThem) {
  fs::create_directories(out_);
  std::ofstream(out_ / ".imgbuild-tmp-0123456789abcdef") << "{";
  Image image = MakeImage("x");
  EXPECT_EQ(WriteLayout(store_, image, out_, {"latest"}).blobs_placed, 3u);
  std::ofstream(out_ / "blobs/sha256/.imgbuild-tmp-77") << "half a layer";
  WriteLayout(store_, image, out_, {"latest"});
  EXPECT_EQ(Blobs(out_).size(), 3u);
  EXPECT_FALSE(fs::exists(out_ / ".imgbuild-tmp-0123456789abcdef"));
}

TEST_F(LayoutTest, FinishesALayoutThatHasItsMarkerAlone) {
  fs::create_directories(out_);
  std::ofstream(out_ / "oci-layout") << kLayoutMarker;
  EXPECT_EQ(WriteLayout(store_, MakeImage("x"), out_, {"latest"}).blobs_placed, 3u);
}

// As if it had been killed between the blobs and index.json, at every one of them.
TEST_F(LayoutTest, BlobsOfAnUnfinishedRunAreRemovedByTheNextImage) {
  const Image whole = MakeImage("whole");
  const std::vector<specs::Descriptor> blobs = whole.Blobs();
  for (std::size_t placed = 0; placed < blobs.size(); ++placed) {
    const Image killed = MakeImage("killed" + std::to_string(placed));
    const fs::path lost = store_.paths().Blob(killed.Blobs()[placed].digest);
    fs::rename(lost, folder_.path() / "lost");
    EXPECT_THROW(WriteLayout(store_, killed, out_, {"latest"}), specs::Error);
    fs::rename(folder_.path() / "lost", lost);
    WriteLayout(store_, whole, out_, {"latest"});
    EXPECT_EQ(Blobs(out_).size(), blobs.size()) << placed;
  }
}

// Killed between index.json and the removal of what it named before.
TEST_F(LayoutTest, OldBlobsAreRemovedEvenWhereTheIndexStandsAlready) {
  Image one = MakeImage("one");
  WriteLayout(store_, one, out_, {"latest"});
  Image two = MakeImage("two");
  const std::string record = ReadFile(store_.paths().Layout(out_));
  for (const specs::Descriptor& blob : one.Blobs()) {
    fs::create_hard_link(InLayout(blob.digest), folder_.path() / blob.digest.Hex());
  }
  WriteLayout(store_, two, out_, {"latest"});
  for (const specs::Descriptor& blob : one.Blobs()) {
    fs::rename(folder_.path() / blob.digest.Hex(), InLayout(blob.digest));
  }
  std::ofstream(store_.paths().Layout(out_), std::ios::app) << record;
  WriteLayout(store_, two, out_, {"latest"});
  EXPECT_EQ(Blobs(out_).size(), 3u);
}

// Each state that a kill can leave behind, and an older version could.
TEST_F(LayoutTest, GoesOnFromEveryStateOfItsBeginning) {
  const Image image = MakeImage("layer");
  const std::vector<std::vector<std::string>> states = {
      {},
      {".imgbuild-tmp-0123"},
      {"oci-layout"},
      {"oci-layout", ".imgbuild-tmp-0123"},
      {"oci-layout", "blobs/"},
      {"oci-layout", "blobs/sha256/"},
      {"oci-layout", "blobs/sha256/.imgbuild-tmp-7"},
      {"blobs/"},
      {"blobs/sha256/"},
      {"blobs/sha256/.imgbuild-tmp-7", ".imgbuild-tmp-0123"},
      {"blobs/sha256/" + LayerOf(image).Hex()},
  };
  for (const std::vector<std::string>& state : states) {
    fs::remove_all(out_);
    fs::create_directories(out_);
    for (const std::string& name : state) {
      fs::create_directories((out_ / name).parent_path());
      if (name == "oci-layout") {
        std::ofstream(out_ / name) << kLayoutMarker;
      } else if (!name.ends_with('/')) {
        std::ofstream(out_ / name) << "cut";
      }
    }
    ASSERT_NO_THROW(WriteLayout(store_, image, out_, {"latest"})) << testing::PrintToString(state);
    ExpectWhole(image);
    EXPECT_EQ(Blobs(out_).size(), 3u) << testing::PrintToString(state);
    EXPECT_FALSE(fs::exists(out_ / ".imgbuild-tmp-0123"));
  }
}

TEST_F(LayoutTest, RefusesDirectoriesWithAnythingElse) {
  for (const char* name :
       {"blobs/notes.txt", "blobs/sha512/x", "blobs/sha256/notes", "index.json", "x/y"}) {
    fs::remove_all(out_);
    fs::create_directories((out_ / name).parent_path());
    std::ofstream(out_ / name) << "precious";
    EXPECT_THROW(WriteLayout(store_, MakeImage("x"), out_, {"latest"}), specs::Error) << name;
    EXPECT_EQ(ReadFile(out_ / name), "precious");
  }
  fs::remove_all(out_);
  std::ofstream(out_) << "a file";
  EXPECT_THROW(WriteLayout(store_, MakeImage("x"), out_, {"latest"}), specs::Error);
}

TEST_F(LayoutTest, RefusesLayoutsOfAnotherVersion) {
  fs::create_directories(out_);
  std::ofstream(out_ / "oci-layout") << R"({"imageLayoutVersion": "2.0.0"})";
  EXPECT_THROW(WriteLayout(store_, MakeImage("x"), out_, {"latest"}), specs::Error);
  std::ofstream(out_ / "oci-layout") << R"({ "imageLayoutVersion": "1.0.0" })";
  WriteLayout(store_, MakeImage("x"), out_, {"latest"});
}

TEST_F(LayoutTest, KilledAtAnyInstantItIsGoneOnWith) {
  for (int round = 0; round < 30; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      for (int i = 0;; ++i) {
        if (i % 3 == 0 && fs::exists(out_)) {
          fs::rename(out_, folder_.path() / "old");
          fs::remove_all(folder_.path() / "old");
        }
        WriteLayout(store_, MakeImage(std::to_string(round * 1'000 + i)), out_, {"latest"});
      }
    }
    usleep(static_cast<useconds_t>(3'000 + round * 377));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    fs::remove_all(folder_.path() / "old");
    const Image image = MakeImage("after " + std::to_string(round));
    ASSERT_NO_THROW(WriteLayout(store_, image, out_, {"latest"})) << round;
    ExpectWhole(image);
    EXPECT_EQ(Blobs(out_).size(), 3u) << round;  // what the killed one placed is known as ours
  }
}

TEST_F(LayoutTest, EntriesOfOtherToolsStayAsTheyStand) {
  WriteLayout(store_, MakeImage("one"), out_, {"latest"});
  const std::vector<std::string> foreign = {
      ForeignEntry("{}", R"(,"artifactType":"a/b","urls":["u"],"data":"e30=")"),
      R"({"mediaType":"m","digest":"sha512:00","size":5,"platform":{"os":"plan9","variant":"v9"}})",
      R"({"mediaType":"m","annotations":{"org.opencontainers.image.ref.name":"theirs","x":"y"}})"};
  for (const std::string& entry : foreign) AddForeignEntry(entry);
  WriteLayout(store_, MakeImage("two"), out_, {"latest", "v2"});
  for (const std::string& entry : foreign) EXPECT_THAT(IndexText(), HasSubstr(entry));
  const specs::LayoutIndex index = specs::ParseLayoutIndex(IndexText(), "index");
  EXPECT_EQ(index.entries.size(), 5u);
  WriteLayout(store_, MakeImage("two"), out_, {"theirs"});  // a tag that moves to ours
  EXPECT_THAT(IndexText(), testing::Not(HasSubstr(foreign[2])));
}

TEST_F(LayoutTest, BlobsOfOthersAreNeverRemoved) {
  WriteLayout(store_, MakeImage("zero"), out_, {"latest"});
  // Another tool placed what we would place, too.
  const Image image = MakeImage("shared");
  const fs::path shared = PutForeign("shared");
  WriteLayout(store_, image, out_, {"latest"});
  WriteLayout(store_, MakeImage("three"), out_, {"latest"});
  EXPECT_EQ(ReadFile(shared), "shared");
  EXPECT_EQ(Blobs(out_).size(), 4u);
}

TEST_F(LayoutTest, BlobsOfAnotherLayoutInItsPlaceAreNotOurs) {
  const Image image = MakeImage("shared");
  WriteLayout(store_, image, out_, {"latest"});
  fs::remove_all(out_);
  fs::create_directories(out_ / "blobs/sha256");
  const fs::path theirs = PutForeign("shared");
  WriteLayout(store_, image, out_, {"latest"});
  WriteLayout(store_, MakeImage("two"), out_, {"latest"});
  EXPECT_EQ(ReadFile(theirs), "shared");
}

TEST_F(LayoutTest, BlobsThatOthersPutAnewAreTheirs) {
  const Image image = MakeImage("shared");
  WriteLayout(store_, image, out_, {"latest"});
  const fs::path blob = InLayout(LayerOf(image));
  const fs::path fresh = folder_.path() / "fresh";
  std::ofstream(fresh) << "shared";
  fs::rename(fresh, blob);
  WriteLayout(store_, image, out_, {"latest"});
  WriteLayout(store_, MakeImage("two"), out_, {"latest"});
  EXPECT_EQ(ReadFile(blob), "shared");
}

TEST_F(LayoutTest, WhatForeignManifestsLeadToStays) {
  const Image one = MakeImage("one");
  WriteLayout(store_, one, out_, {"latest"});
  const std::string manifest =
      R"({"config":{"digest":"sha512:00"},"layers":[{"digest":")" + LayerOf(one).Oci() + R"("}]})";
  PutForeign(manifest);
  const std::string index = R"({"manifests":[{"digest":")" + HashOf(manifest).Oci() + R"("}]})";
  PutForeign(index);
  AddForeignEntry(ForeignEntry(index));
  WriteLayout(store_, MakeImage("two"), out_, {"latest"});
  EXPECT_TRUE(fs::exists(InLayout(LayerOf(one))));
  EXPECT_FALSE(fs::exists(InLayout(one.root.digest)));
}

TEST_F(LayoutTest, NothingIsRemovedWhereItCannotBeToldWhatIsUsed) {
  for (const std::string& entry :
       {ForeignEntry("missing"), ForeignEntry("not json"),
        std::string(R"({"mediaType":"m","digest":"sha512:00","size":5})"),
        std::string(R"({"mediaType":"m","digest":"../../../etc:passwd"})"),
        std::string(R"({"mediaType":"m"})")}) {
    fs::remove_all(out_);
    const Image one = MakeImage("one");
    WriteLayout(store_, one, out_, {"latest"});
    PutForeign("not json");
    AddForeignEntry(entry);
    const Image two = MakeImage("two");
    WriteLayout(store_, two, out_, {"latest"});
    ExpectWhole(two);
    EXPECT_TRUE(fs::exists(InLayout(LayerOf(one)))) << entry;
    EXPECT_TRUE(fs::exists(InLayout(one.root.digest))) << entry;
  }
}

TEST_F(LayoutTest, AnIndexThatIsNoneIsRefusedBeforeAnythingIsPlaced) {
  WriteLayout(store_, MakeImage("one"), out_, {"latest"});
  const std::set<std::string> before = Blobs(out_);
  for (const char* text : {"", "{", "[]", R"({"schemaVersion":2,"manifests":[7]})"}) {
    std::ofstream(out_ / "index.json") << text;
    EXPECT_THROW(WriteLayout(store_, MakeImage("two"), out_, {"latest"}), specs::Error);
    EXPECT_EQ(IndexText(), text);
    EXPECT_EQ(Blobs(out_), before);
  }
}

TEST_F(LayoutTest, ABlobThatIsDamagedInTheStoreIsNotPlaced) {
  const Image image = MakeImage("layer");
  Store other(folder_.path() / "cache");
  Overwrite(store_.paths().Blob(LayerOf(image)), "LAYER");
  try {
    WriteLayout(other, image, out_, {"latest"});
    FAIL();
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.kind(), specs::ErrorKind::kVerification);
  }
  EXPECT_FALSE(fs::exists(InLayout(LayerOf(image))));
  EXPECT_FALSE(fs::exists(out_ / "index.json"));
  EXPECT_FALSE(other.FindBlob(LayerOf(image), 5));
  MakeImage("layer");
  WriteLayout(other, image, out_, {"latest"});
  ExpectWhole(image);
}

// Blobs are hard links: what is edited in the layout is edited in the store.
TEST_F(LayoutTest, ABlobEditedThroughALinkIsMadeAgain) {
  const Image image = MakeImage("layer");
  WriteLayout(store_, image, out_, {"latest"});
  const fs::path blob = InLayout(HashOf("layer"));
  if (fs::hard_link_count(blob) < 2) GTEST_SKIP() << "this file system has reflinks, or no links";
  usleep(20'000);  // the clock of file times is coarse
  Overwrite(blob, "LAYER");
  try {
    WriteLayout(store_, image, out_, {"latest"});
    FAIL() << "no failure";
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.kind(), specs::ErrorKind::kVerification);
  }
  EXPECT_FALSE(store_.FindBlob(HashOf("layer"), 5));
  EXPECT_EQ(ReadFile(blob), "LAYER");
  MakeImage("layer");
  EXPECT_EQ(WriteLayout(store_, image, out_, {"latest"}).blobs_placed, 1u);
  EXPECT_EQ(ReadFile(blob), "layer");
  EXPECT_TRUE(store_.Verify().empty());
}

TEST_F(LayoutTest, OnlyRootMayWriteToBlobs) {
  fs::permissions(folder_.path(), fs::perms(0777));
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && setuid(65534) != 0) _exit(1);
    Store store(folder_.path() / "others-cache");
    store.PutBlob(HashOf("layer"), "layer");
    ImageLayer layer{.descriptor = {.media_type = std::string(specs::kOciLayer),
                                    .digest = HashOf("layer"),
                                    .size = 5},
                     .diff_id = HashOf("layer"),
                     .plain_size = 5,
                     .created_by = "x"};
    const Image image = PublishImage(store, {PublishPlatform(store, {}, {layer}, {})}, {});
    WriteLayout(store, image, out_, {"latest"});
    const fs::path blob = InLayout(HashOf("layer"));
    _exit(fs::hard_link_count(blob) > 1 && access(blob.c_str(), W_OK) == 0 ? 2 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace imgbuild::layers
