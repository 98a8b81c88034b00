#include "layers/tree/facts.h"

#include <chrono>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

FileFacts File(std::string path, std::string content) {
  FileFacts file;
  file.path = std::move(path);
  file.node.mtime = 1'700'000'000;
  file.node.size = content.size();
  file.node.digest = specs::HashOf(content);
  return file;
}

FileFacts Other(std::string path, NodeType type, std::string target) {
  FileFacts file;
  file.path = std::move(path);
  file.node.type = type;
  file.node.mode = 0777;
  file.node.mtime = -5;
  file.node.target = std::move(target);
  return file;
}

PackageFacts Sample() {
  PackageFacts facts{
      .kind = "deb", .name = "libx1", .version = "1:2.0-1~b", .architecture = "amd64"};
  facts.files.push_back(Other("usr", NodeType::kDirectory, ""));
  facts.files.push_back(File("usr/lib/libx.so.1", "elf"));
  facts.files.back().node.mode = 04755;
  facts.files.back().node.uid = 0xffff'ffff;
  facts.files.back().node.size = 9ull << 30;
  facts.files.back().elf = ElfFacts{62, true, "libx.so.1", {"libc.so.6", "libm.so.6"}, {"$ORIGIN"}};
  facts.files.push_back(Other("usr/lib/libx.so.2", NodeType::kHardlink, "usr/lib/libx.so.1"));
  facts.files.push_back(Other("usr/lib/l\xc3\xa9", NodeType::kSymlink, "../\xff/x"));
  facts.gpu_code = {"compute_120", "sm_90"};
  facts.contents = {{"etc/shells", std::string("a\0b", 3)}, {"empty", ""}};
  facts.control = {{"control", "Package: libx1\n"}};
  return facts;
}

TEST(Facts, ParseIsTheInverseOfRender) {
  EXPECT_EQ(ParseFacts(RenderFacts(Sample())), Sample());
  EXPECT_EQ(ParseFacts(RenderFacts(PackageFacts{})), PackageFacts{});
}

TEST(Facts, TheFormIsFixed) {
  PackageFacts facts{.kind = "deb", .name = "a", .version = "1"};
  facts.files.push_back(Other("usr", NodeType::kDirectory, ""));
  facts.files.push_back(Other("usr/l", NodeType::kSymlink, "t"));
  using namespace std::string_literals;
  EXPECT_EQ(RenderFacts(facts),
            "imgbuild-facts 3\n\x03"
            "deb\x01"
            "a\x01"
            "1\x00\x02"
            "\x00\x03usr\x01\xff\x03\x00\x00\x09"
            "\x03\x02/l\x02\xff\x03\x00\x00\x09\x01t"
            "\x00\x00\x00"s);
}

TEST(Facts, RenderRefusesUnsortedAndUnsafePaths) {
  PackageFacts facts;
  facts.files = {File("b", ""), File("a", "")};
  EXPECT_THROW(RenderFacts(facts), specs::Error);
  facts.files = {File("a", ""), File("a", "")};
  EXPECT_THROW(RenderFacts(facts), specs::Error);
  facts.files = {File("../a", "")};
  EXPECT_THROW(RenderFacts(facts), specs::Error);
}

TEST(Facts, EveryCutIsAnError) {
  std::string bytes = RenderFacts(Sample());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(ParseFacts(std::string_view(bytes).substr(0, size)), specs::Error) << size;
  }
  EXPECT_THROW(ParseFacts(bytes + "x"), specs::Error);
}

TEST(Facts, HugeCountsAndLengthsAreErrorsNotAllocations) {
  const std::string head = "imgbuild-facts 3\n";
  const std::string huge = "\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
  EXPECT_THROW(ParseFacts(head + huge), specs::Error);
  EXPECT_THROW(ParseFacts(head + std::string(4, '\0') + huge), specs::Error);
  EXPECT_THROW(ParseFacts(head + std::string(5, '\0') + huge), specs::Error);
  EXPECT_THROW(ParseFacts(head + std::string(4, '\x80')), specs::Error);
}

TEST(Facts, DamageNeverGivesAPathThatLeavesTheTree) {
  const std::string original = RenderFacts(Sample());
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = original;
    bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes[random() % bytes.size()] = "./\0\xff"[random() % 4];
    FuzzFacts(bytes);
    try {
      for (const FileFacts& file : ParseFacts(bytes).files) {
        ASSERT_EQ(("/" + file.path + "/").find("/../"), std::string::npos);
      }
    } catch (const specs::Error&) {
    }
  }
}

TEST(Facts, TwentyFiveThousandFilesAreAFewHundredKilobytesAndMilliseconds) {
  PackageFacts facts{.kind = "wheel", .name = "big", .version = "1"};
  for (int i = 0; i < 25'000; ++i) {
    facts.files.push_back(
        File(fmt::format("opt/venv/lib/python3.11/site-packages/big/part{:03}/module{:05}.py",
                         i / 100, i),
             std::to_string(i)));
  }
  std::string bytes = RenderFacts(facts);
  EXPECT_LT(bytes.size(), 2'000'000u);
  auto start = std::chrono::steady_clock::now();
  PackageFacts parsed = ParseFacts(bytes);
  auto spent = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(parsed, facts);
  RecordProperty(
      "parse_us",
      static_cast<int>(std::chrono::duration_cast<std::chrono::microseconds>(spent).count()));
}

}  // namespace
}  // namespace imgbuild::layers
