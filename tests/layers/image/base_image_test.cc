#include "layers/image/base_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/image/layer_listing.h"
#include "layers/image/layer_stack.h"
#include "layers/image/program_version.h"
#include "layers/image/store_origin.h"
#include "layers/write/compress.h"
#include "specs/base/error.h"
#include "tests/layers/image/memory_origin.h"
#include "tests/layers/image/tar_maker.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

using specs::Error;
using testing::ElementsAre;
using testing::HasSubstr;

PackageFacts Listed(const TarMaker& tar) {
  const std::string bytes = tar.Bytes();
  MemorySource source(bytes);
  return ListLayer(source, specs::HashOf(bytes)).facts;
}

std::vector<std::string> PathsOf(const PackageFacts& facts) {
  std::vector<std::string> paths;
  for (const FileFacts& file : facts.files) paths.push_back(file.path);
  return paths;
}

PackageFacts Stacked(const std::vector<TarMaker>& tars) {
  std::vector<PackageFacts> layers;
  for (const TarMaker& tar : tars) layers.push_back(Listed(tar));
  std::vector<const PackageFacts*> all;
  for (const PackageFacts& layer : layers) all.push_back(&layer);
  return StackLayers(all);
}

std::string Message(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(ProgramVersion, IsFoundWhereItIsAWholeString) {
  const auto python = [](std::string_view content) {
    return ProgramVersion(ProgramKind::kPython, "usr/bin/python3.11", content);
  };
  using namespace std::string_view_literals;
  EXPECT_EQ(python("x\0"
                   "3.11.2\0y"sv),
            "3.11.2");
  EXPECT_EQ(python("see 3.11.7\0\0"
                   "3.11.12+\0"sv),
            "3.11.12");
  EXPECT_EQ(python("\0"
                   "3.11.0rc2\0"sv),
            "3.11.0rc2");
  EXPECT_EQ(python("\0"
                   "3.11.2"sv),
            std::nullopt);  // cut off
  EXPECT_EQ(python("\0"
                   "3.11.x\0"sv),
            std::nullopt);
  EXPECT_EQ(python("\0"
                   "3.11.2 final\0"sv),
            std::nullopt);
  EXPECT_EQ(python("\0"
                   "3.110.2\0"sv),
            std::nullopt);  // another minor version
  EXPECT_EQ(ProgramVersion(ProgramKind::kGlibc, "lib/libc.so.6",
                           "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n"),
            "2.36");
  EXPECT_EQ(ProgramVersion(ProgramKind::kGlibc, "lib/libc.so.6", " release version 2"),
            std::nullopt);
}

TEST(ProgramVersion, KnowsProgramsByTheirNames) {
  EXPECT_EQ(ProgramKindOf("usr/local/bin/python3.12"), ProgramKind::kPython);
  EXPECT_EQ(ProgramKindOf("usr/lib/x86_64-linux-gnu/libpython3.11.so.1.0"), ProgramKind::kPython);
  EXPECT_EQ(ProgramKindOf("usr/lib/x86_64-linux-gnu/libc.so.6"), ProgramKind::kGlibc);
  EXPECT_EQ(ProgramKindOf("lib/x86_64-linux-gnu/libc-2.31.so"), ProgramKind::kGlibc);
  for (const char* other : {"usr/bin/python3", "usr/bin/python3.11-config", "usr/bin/python2.7",
                            "usr/lib/libpython3.11.a", "usr/lib/libc.a", "python3."}) {
    EXPECT_EQ(ProgramKindOf(other), ProgramKind::kOther) << other;
  }
}

TEST(ListLayer, TellsPathsAndKeepsWhatDecides) {
  const PackageFacts facts =
      Listed(TarMaker()
                 .Directory("./etc/")
                 .File("./etc/passwd", "root:x:0:0::/root:/bin/sh\n")
                 .File("./etc/secret", "not kept")
                 .Symlink("bin", "usr/bin")
                 .File("usr/bin/python3.11", std::string("\0"
                                                         "3.11.2\0",
                                                         8))
                 .Hardlink("usr/local/bin/python3.11", "usr/bin/python3.11"));
  EXPECT_THAT(PathsOf(facts), ElementsAre("bin", "etc", "etc/passwd", "etc/secret",
                                          "usr/bin/python3.11", "usr/local/bin/python3.11"));
  EXPECT_EQ(facts.files[3].node.size, 8u);  // "not kept"
  EXPECT_EQ(facts.files[5].node.size, 0u);  // a second name takes no room
  EXPECT_THAT(facts.contents, ElementsAre(std::pair("etc/passwd", "root:x:0:0::/root:/bin/sh\n")));
  EXPECT_EQ(facts.control.at("python usr/bin/python3.11"), "3.11.2");
  EXPECT_EQ(facts.control.at("python usr/local/bin/python3.11"), "3.11.2");
  EXPECT_EQ(ParseFacts(RenderFacts(facts)), facts);
}

TEST(ListLayer, ReadsAnyCompressionAndNothingAtAll) {
  const std::string bytes = TarMaker().File("a", "b").Bytes();
  for (const Compression compression : {Compression::kGzip, Compression::kZstd}) {
    const std::string packed(MakeCodec(compression)->Compress(bytes).view());
    MemorySource source(packed);
    const LayerListing listing = ListLayer(source, specs::HashOf(bytes));
    EXPECT_THAT(PathsOf(listing.facts), ElementsAre("a"));
    EXPECT_EQ(listing.plain_size, bytes.size());
  }
  for (const std::string& empty : {std::string(), std::string(1024, '\0')}) {
    MemorySource source(empty);
    EXPECT_EQ(ListLayer(source, specs::HashOf(empty)).facts.files.size(), 0u);
  }
}

TEST(ListLayer, RefusesWhatIsNoLayer) {
  const auto refused = [](const std::string& bytes, const specs::Sha256& diff_id) {
    return Message([&] {
      MemorySource source(bytes);
      ListLayer(source, diff_id);
    });
  };
  const std::string good = TarMaker().File("a", "b").Bytes();
  EXPECT_THAT(refused(good, specs::HashOf("other")), HasSubstr("not what its image says"));
  const std::string climbing = TarMaker().File("../etc/passwd", "x").Bytes();
  EXPECT_THAT(refused(climbing, specs::HashOf(climbing)), HasSubstr("leads elsewhere"));
  const std::string noise(2000, 'x');
  EXPECT_NE(refused(noise, specs::HashOf(noise)), "no error");
  const std::string cut = good.substr(0, 700);
  EXPECT_NE(refused(cut, specs::HashOf(cut)), "no error");
}

TEST(StackLayers, LaysLayersOverEachOther) {
  const PackageFacts facts = Stacked(
      {TarMaker().Directory("etc").File("etc/passwd", "1").File("etc/gone", "").File("opt/a/b", ""),
       TarMaker().File("etc/passwd", "2").File("etc/.wh.gone", "").File("opt/.wh.a", ""),
       TarMaker().File("opt/a", "now a file")});
  EXPECT_THAT(PathsOf(facts), ElementsAre("etc", "etc/passwd", "opt/a"));
  EXPECT_EQ(facts.contents.at("etc/passwd"), "2");
}

TEST(StackLayers, HidesLowerLayersAloneBehindAnOpaqueFolder) {
  const PackageFacts facts =
      Stacked({TarMaker().File("a/old", "").File("a/b/older", "").File("ab", ""),
               TarMaker().Directory("a").File("a/new", "").File("a/.wh..wh..opq", "")});
  EXPECT_THAT(PathsOf(facts), ElementsAre("a", "a/new", "ab"));
}

TEST(StackLayers, FollowsLinksOfLowerLayersToTheirPlace) {
  const PackageFacts facts =
      Stacked({TarMaker().Directory("usr/lib").Symlink("lib", "usr/lib").File("usr/lib/old", ""),
               TarMaker().File("lib/new", "").File("lib/.wh.old", "")});
  EXPECT_THAT(PathsOf(facts), ElementsAre("lib", "usr/lib", "usr/lib/new"));
  EXPECT_THAT(
      Message([] {
        Stacked({TarMaker().Symlink("a", "b").Symlink("b", "a"), TarMaker().File("a/x", "")});
      }),
      HasSubstr("goes round"));
}

TEST(StackLayers, AFileReplacesAFolderAndWhatWasFoundInIt) {
  const std::string python(
      "\0"
      "3.11.2\0",
      8);
  const PackageFacts facts =
      Stacked({TarMaker().File("opt/bin/python3.11", python), TarMaker().Symlink("opt", "/usr")});
  EXPECT_THAT(PathsOf(facts), ElementsAre("opt"));
  EXPECT_TRUE(facts.control.empty());
}

class BaseImageTest : public testing::Test {
 protected:
  BaseImageTest() : store_(temp_.path() / "store"), origin_(temp_.path() / "blobs") {}

  BaseImage Read(const char* platform = "linux/amd64") {
    return ReadBaseImage(origin_, store_, *specs::Platform::Parse(platform));
  }

  support::TempFolder temp_;
  Store store_;
  MemoryOrigin origin_;
  const std::string first_ = TarMaker()
                                 .File("usr/lib/os-release", "ID=debian\n")
                                 .Symlink("etc/os-release", "../usr/lib/os-release")
                                 .Bytes();
  const std::string second_ = TarMaker().File("srv/x", "").Bytes();
};

TEST_F(BaseImageTest, IsReadForOnePlatform) {
  const auto with_platform = [](const std::string& image, const std::string& architecture) {
    return image + R"(,"platform":{"os":"linux","architecture":")" + architecture + "\"}}";
  };
  origin_.SetRoot(
      origin_.PutIndex(
          {with_platform(origin_.PutImage("linux/arm64", {second_}), "arm64"),
           with_platform(origin_.PutImage("linux/amd64", {first_, second_}), "amd64")}) +
      "}");
  const BaseImage base = Read();
  EXPECT_EQ(base.root, origin_.Root());
  ASSERT_EQ(base.layers.size(), 2u);
  EXPECT_EQ(base.layers[0].diff_id, specs::HashOf(first_));
  EXPECT_EQ(base.layers[0].plain_size, first_.size());
  EXPECT_EQ(base.Resolve("/etc/os-release"), "usr/lib/os-release");
  ASSERT_NE(base.Content("/etc/os-release"), nullptr);
  EXPECT_EQ(*base.Content("/etc/os-release"), "ID=debian\n");
  EXPECT_EQ(base.Resolve("/etc/nothing"), std::nullopt);
  EXPECT_EQ(Read("linux/arm64").layers.size(), 1u);
}

TEST_F(BaseImageTest, WhatWasReadOnceNeedsNoLayersAgain) {
  origin_.SetRoot(origin_.PutImage("linux/amd64", {first_, second_}) + "}");
  const BaseImage base = Read();
  for (const std::string& layer : {first_, second_}) {
    std::filesystem::remove(temp_.path() / "blobs" / specs::HashOf(layer).Hex());
  }
  const BaseImage again = Read();
  EXPECT_EQ(again.files, base.files);
  EXPECT_EQ(again.layers[1].plain_size, base.layers[1].plain_size);
}

TEST_F(BaseImageTest, IsReadFromTheStoreAlone) {
  origin_.SetRoot(origin_.PutImage("linux/amd64", {first_}) + "}");
  const BaseImage base = Read();
  StoreOrigin absent(store_, origin_.Root());
  EXPECT_THROW(ReadBaseImage(absent, store_, {}), Error);
  for (const auto& [digest, bytes] : origin_.blobs) store_.PutBlob(digest, bytes);
  StoreOrigin stored(store_, origin_.Root());
  EXPECT_EQ(ReadBaseImage(stored, store_, {}).files, base.files);
}

TEST_F(BaseImageTest, RefusesAnotherPlatformAndOtherArtifacts) {
  origin_.SetRoot(origin_.PutImage("linux/arm64", {first_}) + "}");
  EXPECT_THAT(Message([&] { Read(); }), HasSubstr("not for linux/amd64"));
  origin_.SetRoot(origin_.PutManifest({{"data", MemoryOrigin::Type("x/data")}}));
  EXPECT_THAT(Message([&] { Read(); }), HasSubstr("another artifact"));
}

TEST_F(BaseImageTest, RefusesALayerThatIsNotWhatTheImageSays) {
  origin_.SetRoot(origin_.PutImage("linux/amd64", {first_}) + "}");
  WriteFileAtomically(temp_.path() / "blobs" / specs::HashOf(first_).Hex(), second_);
  EXPECT_THAT(Message([&] { Read(); }), HasSubstr("not what its image says"));
}

TEST_F(BaseImageTest, ALayerThatComesTwiceIsReadOnce) {
  origin_.SetRoot(origin_.PutImage("linux/amd64", {first_, second_, first_}) + "}");
  EXPECT_EQ(Read().layers.size(), 3u);
}

TEST_F(BaseImageTest, ItsOutlineNeedsNoLayers) {
  origin_.SetRoot(origin_.PutImage("linux/amd64", {first_, second_}) + "}");
  for (const std::string& layer : {first_, second_}) {
    std::filesystem::remove(temp_.path() / "blobs" / specs::HashOf(layer).Hex());
  }
  const BaseImage outline = OutlineBaseImage(origin_, {});
  ASSERT_EQ(outline.layers.size(), 2u);
  EXPECT_EQ(outline.layers[1].diff_id, specs::HashOf(second_));
  EXPECT_EQ(outline.layers[1].plain_size, 0u);
  EXPECT_TRUE(outline.files.files.empty());
}

TEST_F(BaseImageTest, TakesWhatAnotherMachineFoundInIt) {
  origin_.SetRoot(origin_.PutImage("linux/amd64", {first_}) + "}");
  const BaseImage base = Read();
  const specs::Sha256 key = ListingKey(specs::HashOf(first_), specs::HashOf(first_));
  const std::optional<std::string> listing = store_.FindAction(key);
  ASSERT_TRUE(listing);
  std::filesystem::remove(temp_.path() / "blobs" / specs::HashOf(first_).Hex());
  Store other(temp_.path() / "other");
  for (const std::string& wrong : {std::string(), std::string("12\n"), "x" + *listing,
                                   listing->substr(0, listing->size() / 2)}) {
    EXPECT_FALSE(AdoptListing(other, key, wrong)) << wrong.size();
  }
  EXPECT_FALSE(other.FindAction(key));
  EXPECT_TRUE(AdoptListing(other, key, *listing));
  EXPECT_EQ(ReadBaseImage(origin_, other, {}).files, base.files);
}

// Tells how it is asked, and gives wrong bytes where it is to read.
class ToldOrigin : public MemoryOrigin {
 public:
  using MemoryOrigin::MemoryOrigin;

  std::vector<SourceBlob> Files(const std::vector<specs::Descriptor>& wanted) override {
    files += wanted.size();
    return MemoryOrigin::Files(wanted);
  }
  void Read(const std::vector<specs::Descriptor>& wanted, const TakeBytes& take) override {
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      ++read;
      std::string bytes = blobs.at(wanted[i].digest);
      if (wanted[i].digest == spoiled) bytes[600] ^= 1;
      MemorySource source(bytes);
      take(i, source);
    }
  }

  std::size_t files = 0;
  std::size_t read = 0;
  std::optional<specs::Sha256> spoiled;
};

TEST_F(BaseImageTest, IsListedWhileItComes) {
  ToldOrigin origin(temp_.path() / "told");
  origin.SetRoot(origin.PutImage("linux/amd64", {first_, second_}) + "}");
  const BaseImage base = ReadBaseImage(origin, store_, {}, LayerBytes::kPassed);
  EXPECT_EQ(origin.read, 2u);
  EXPECT_EQ(origin.files, 0u);
  Store other(temp_.path() / "other");
  EXPECT_EQ(ReadBaseImage(origin, other, {}, LayerBytes::kKept).files, base.files);
  EXPECT_EQ(origin.files, 2u);
}

TEST_F(BaseImageTest, WhatIsSpoiledOnItsWayComesAsAFile) {
  ToldOrigin origin(temp_.path() / "told");
  origin.SetRoot(origin.PutImage("linux/amd64", {first_, second_}) + "}");
  origin.spoiled = specs::HashOf(second_);
  const BaseImage base = ReadBaseImage(origin, store_, {}, LayerBytes::kPassed);
  EXPECT_EQ(origin.files, 1u);
  ASSERT_NE(base.File("srv/x"), nullptr);
}

TEST_F(BaseImageTest, WhatIsDamagedInTheStoreIsGoneFromThere) {
  origin_.SetRoot(origin_.PutImage("linux/amd64", {first_}) + "}");
  for (const auto& [digest, bytes] : origin_.blobs) store_.PutBlob(digest, bytes);
  store_.PutBlob(specs::HashOf(first_), std::string(first_.size(), 'x'));
  StoreOrigin stored(store_, origin_.Root());
  EXPECT_THROW(ReadBaseImage(stored, store_, {}), Error);
  EXPECT_FALSE(store_.FindBlob(specs::HashOf(first_), first_.size()));
}

}  // namespace
}  // namespace imgbuild::layers
