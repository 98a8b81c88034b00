#include "builder/pypi/metadata_client.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "builder/pypi/zip_directory.h"
#include "tests/support/mini_index.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using support::MiniFile;
using support::MiniIndex;
using testing::ElementsAre;
using testing::HasSubstr;

class MetadataClientTest : public testing::Test {
 protected:
  MetadataResult Get(const MiniFile& file, Connectivity connectivity = Connectivity::kOnline) {
    MetadataClient client(http, executor, folder.path(), connectivity);
    RemoteFile remote{.filename = file.filename,
                      .url = "https://index.example/files/" + file.filename,
                      .index = &index,
                      .sha256 = specs::HashOf(file.content)};
    if (file.metadata) {
      remote.core_metadata = MetadataOffer::kOffered;
      remote.core_metadata_sha256 = beside_hash.value_or(specs::HashOf(*file.metadata));
    }
    std::promise<MetadataResult> promise;
    client.Request(remote, [&](MetadataResult result) { promise.set_value(std::move(result)); });
    return promise.get_future().get();
  }

  static std::string TextOf(const MetadataResult& result) {
    if (auto* text = std::get_if<std::string>(&result)) return *text;
    if (auto* bad = std::get_if<UnreadableFile>(&result)) return "unreadable: " + bad->clause;
    return std::string("error: ") + std::get<specs::Error>(result).what();
  }

  MiniIndex mini;
  IndexConfig index{.name = "default", .url = "https://index.example/simple/"};
  std::optional<specs::Sha256> beside_hash;
  support::TempFolder folder;
  support::FakeHttpClient http{[this](const auto& request) { return mini.Answer(request); }};
  layers::ThreadExecutor executor{2};
};

TEST_F(MetadataClientTest, ReadsAWheelsEndInOneRange) {
  MiniFile& file = mini.AddWheel("a", "1.0", {.requires_dist = {"b>=2"}});
  EXPECT_THAT(TextOf(Get(file)), HasSubstr("Requires-Dist: b>=2\n"));
  EXPECT_THAT(http.Asked(), ElementsAre("/files/a-1.0-py3-none-any.whl bytes=-65536"));
}

TEST_F(MetadataClientTest, KeepsItForGood) {
  MiniFile& file = mini.AddWheel("a", "1.0");
  std::string first = TextOf(Get(file));
  EXPECT_EQ(TextOf(Get(file, Connectivity::kOffline)), first);
  EXPECT_EQ(http.Asked().size(), 1u);
}

TEST_F(MetadataClientTest, ADamagedCacheEntryIsFetchedAnew) {
  MiniFile& file = mini.AddWheel("a", "1.0");
  std::string first = TextOf(Get(file));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
    if (entry.is_regular_file()) std::filesystem::resize_file(entry.path(), 70);
  }
  EXPECT_EQ(TextOf(Get(file)), first);
  EXPECT_EQ(http.Asked().size(), 2u);
}

TEST_F(MetadataClientTest, PrefersMetadataBesideTheWheelAndChecksIt) {
  MiniFile& file = mini.AddWheel("a", "1.0");
  file.metadata = "Metadata-Version: 2.1\nName: a\nVersion: 1.0\n";
  EXPECT_EQ(TextOf(Get(file)), *file.metadata);
  EXPECT_THAT(http.Asked(), ElementsAre("/files/a-1.0-py3-none-any.whl.metadata"));
}

TEST_F(MetadataClientTest, AWrongHashBesideTheWheelIsAnError) {
  MiniFile& file = mini.AddWheel("a", "1.0");
  file.metadata = "Metadata-Version: 2.1\nName: a\nVersion: 1.0\n";
  beside_hash = specs::HashOf("something else");
  MetadataResult result = Get(file);
  ASSERT_TRUE(std::holds_alternative<specs::Error>(result));
  EXPECT_EQ(std::get<specs::Error>(result).kind(), specs::ErrorKind::kVerification);
}

TEST_F(MetadataClientTest, AnnouncedButMissingFallsBackToTheWheel) {
  MiniFile& file = mini.AddWheel("a", "1.0");
  MiniFile announced = file;
  announced.metadata = "never served";
  EXPECT_THAT(TextOf(Get(announced)), HasSubstr("Name: a\n"));
  EXPECT_EQ(http.Asked().size(), 2u);
}

TEST_F(MetadataClientTest, AServerWithoutRangesSendsTheWholeWheel) {
  mini.ranges = MiniIndex::Ranges::kIgnored;
  MiniFile& file = mini.AddWheel("a", "1.0");
  EXPECT_THAT(TextOf(Get(file)), HasSubstr("Name: a\n"));
  EXPECT_EQ(http.Asked().size(), 1u);
}

TEST_F(MetadataClientTest, ASecondRangeReachesMetadataFarFromTheEnd) {
  MiniFile file;
  file.filename = "a-1.0-py3-none-any.whl";
  file.content = support::MakeZip(
      {{"a-1.0.dist-info/METADATA", "Name: a\n"}, {"a/data", std::string(200'000, 'x')}});
  mini.AddFile("a", file);
  EXPECT_EQ(TextOf(Get(file)), "Name: a\n");
  ASSERT_EQ(http.Asked().size(), 2u);
  EXPECT_THAT(http.Asked()[1], HasSubstr("bytes=0-"));
}

TEST_F(MetadataClientTest, ALongDirectoryIsFetchedWhole) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (int i = 0; i < 2000; ++i) entries.push_back({"a/file-" + std::to_string(i), "x"});
  entries.push_back({"a-1.0.dist-info/METADATA", "Name: a\n"});
  MiniFile file{.filename = "a-1.0-py3-none-any.whl", .content = support::MakeZip(entries)};
  mini.AddFile("a", file);
  EXPECT_EQ(TextOf(Get(file)), "Name: a\n");
  EXPECT_LE(http.Asked().size(), 3u);
}

TEST_F(MetadataClientTest, ReadsPkgInfoOutOfAnSdistAndChecksItsHash) {
  MiniFile& file = mini.AddSdist("a", "1.0", {.requires_dist = {"b"}});
  EXPECT_THAT(TextOf(Get(file)), HasSubstr("Requires-Dist: b\n"));
  MiniFile other = mini.AddSdist("c", "1.0");
  other.content += "x";
  EXPECT_THAT(TextOf(Get(other)), HasSubstr("wrong SHA-256"));
}

TEST_F(MetadataClientTest, DamagedWheelsAreUnreadableNotFatal) {
  MiniFile& file = mini.AddWheel("a", "1.0");
  std::string whole = file.content;
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    file.content = whole.substr(0, size);
    EXPECT_FALSE(std::holds_alternative<std::string>(Get(file))) << size;
  }
}

TEST_F(MetadataClientTest, SendsCredentialsToTheIndexsOriginOnly) {
  index.headers = {{"Authorization", "Basic c2VjcmV0"}};
  MiniFile& file = mini.AddWheel("a", "1.0");
  Get(file);
  index.url = "https://other.example/simple/";
  file.content += "";
  MiniFile& second = mini.AddWheel("b", "1.0");
  Get(second);
  EXPECT_EQ(http.Requests()[0].headers.count("authorization"), 1u);
  EXPECT_EQ(http.Requests()[1].headers.count("authorization"), 0u);
}

TEST(ZipDirectory, EveryFlippedByteIsHarmless) {
  std::string zip = support::MakeZip({{"a-1.0.dist-info/METADATA", "Name: a\n"}});
  for (std::size_t i = 0; i < zip.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = zip;
      damaged[i] = static_cast<char>(damaged[i] ^ 1 << bit);
      auto result = ReadWheelMetadata("a-1.0-py3-none-any.whl", damaged);
      if (auto* text = std::get_if<std::string>(&result)) {
        EXPECT_EQ(*text, "Name: a\n");
      }
    }
  }
}

TEST(ZipDirectory, InflatesAndChecks) {
  // zlib's raw deflate of 64 times "Name: a\n".
  const unsigned char deflated[] = {0xf3, 0x4b, 0xcc, 0x4d, 0xb5, 0x52, 0x48, 0xe4,
                                    0xf2, 0x1b, 0xa5, 0x47, 0x24, 0x0d, 0x00};
  std::string data(reinterpret_cast<const char*>(deflated), sizeof deflated);
  std::string local("PK\x03\x04", 4);
  local += std::string(22, '\0') + std::string("\x01\0\0\0", 4) + "m" + data;
  std::string plain;
  for (int i = 0; i < 64; ++i) plain += "Name: a\n";
  ZipEntry entry{.name = "m",
                 .method = 8,
                 .crc32 = 0x30f876fd,
                 .compressed_size = data.size(),
                 .size = plain.size()};
  EXPECT_EQ(std::get<std::string>(ReadZipEntry(entry, local, 1 << 20)), plain);
  entry.crc32 ^= 1;
  EXPECT_TRUE(std::holds_alternative<ZipDamage>(ReadZipEntry(entry, local, 1 << 20)));
  entry.crc32 ^= 1;
  entry.size = 10;
  EXPECT_TRUE(std::holds_alternative<ZipDamage>(ReadZipEntry(entry, local, 1 << 20)));
  entry.size = 1u << 30;
  EXPECT_TRUE(std::holds_alternative<ZipDamage>(ReadZipEntry(entry, local, 1 << 20)));
}

}  // namespace
}  // namespace imgbuild::builder
