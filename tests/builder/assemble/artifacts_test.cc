#include "builder/assemble/artifacts.h"

#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/file.h"
#include "layers/tree/tree_union.h"
#include "specs/base/digest.h"
#include "specs/base/error.h"
#include "tests/support/make_wheel.h"
#include "tests/support/mini_archive.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::builder {
namespace {

using layers::ContentTree;
using layers::NodeType;
using specs::ArtifactEntry;
using specs::Error;
using specs::ErrorKind;
using support::WheelMember;
using testing::ElementsAre;
using testing::HasSubstr;

// One ustar entry, written as it stands.
std::string TarEntry(const std::string& path, char type, const std::string& content,
                     const std::string& target = "", const char* mode = "0000644") {
  std::string header(512, '\0');
  path.copy(header.data(), 100);
  std::string(mode).copy(header.data() + 100, 7);
  std::string("0000000").copy(header.data() + 108, 7);
  std::string("0000000").copy(header.data() + 116, 7);
  char size[12];
  std::snprintf(size, sizeof size, "%011zo", content.size());
  std::copy(size, size + 11, header.data() + 124);
  std::string("14500000000").copy(header.data() + 136, 11);
  header[156] = type;
  target.copy(header.data() + 157, 100);
  std::string(
      "ustar\0"
      "00",
      8)
      .copy(header.data() + 257, 8);
  std::string(8, ' ').copy(header.data() + 148, 8);
  unsigned sum = 0;
  for (unsigned char c : header) sum += c;
  std::snprintf(header.data() + 148, 8, "%06o", sum);
  std::string padded = content;
  padded.resize((content.size() + 511) / 512 * 512, '\0');
  return header + padded;
}

std::string Tar(const std::vector<std::string>& entries) {
  std::string tar;
  for (const std::string& entry : entries) tar += entry;
  return tar + std::string(1024, '\0');
}

class Artifacts : public testing::Test {
 protected:
  ArtifactEntry Entry(const std::string& to, const std::string& bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
    return {.url = "https://user:secret@files.example/dl/tool-1.0.tar?token=abc#part",
            .sha256 = specs::HashOf(bytes),
            .to = to};
  }
  ContentTree Unpack(const ArtifactEntry& entry) { return UnpackArtifact(entry, path_, scratch_); }
  ContentTree Extract(const std::string& bytes, const std::string& to = "/opt/tool",
                      std::uint32_t strip = 0) {
    ArtifactEntry entry = Entry(to, bytes);
    entry.extract = true;
    entry.strip = strip;
    return Unpack(entry);
  }
  std::string Refusal(const ArtifactEntry& entry) {
    try {
      Unpack(entry);
    } catch (const Error& error) {
      kind_ = error.kind();
      return error.what();
    }
    ADD_FAILURE() << "no failure";
    return "";
  }
  std::string RefusalOf(const std::string& bytes) {
    ArtifactEntry entry = Entry("/opt/tool", bytes);
    entry.extract = true;
    return Refusal(entry);
  }

  static std::vector<std::string> Paths(const ContentTree& tree) {
    std::vector<std::string> paths;
    for (const auto& [path, file] : tree) paths.push_back(path);
    return paths;
  }

  support::TempFolder folder_;
  std::filesystem::path path_ = folder_.path() / "archive";
  layers::Store store_{folder_.path() / "cache"};
  layers::ScratchFolder scratch_{store_};
  ErrorKind kind_ = ErrorKind::kUsage;
};

TEST_F(Artifacts, AFileLiesWhereItIsTold) {
  ArtifactEntry entry = Entry("/opt/bin/tool", "#!/bin/sh\n");
  entry.mode = 0755;
  const ContentTree tree = Unpack(entry);
  ASSERT_THAT(Paths(tree), ElementsAre("opt/bin/tool"));
  const layers::ContentFile& file = tree.begin()->second;
  EXPECT_EQ(file.node.mode, 0755u);
  EXPECT_EQ(file.node.mtime, layers::kFixedTime);
  EXPECT_EQ(file.node.size, 10u);
  EXPECT_EQ(file.node.digest, entry.sha256);
  EXPECT_EQ(file.disk_path, path_.string());
}

TEST_F(Artifacts, TheFetcherIsToldUrlHashAndFileName) {
  const ArtifactEntry entry = Entry("/opt/tool", "x");
  const specs::LockedPackage package = ArtifactPackage(entry);
  EXPECT_EQ(package.file, "tool-1.0.tar");
  EXPECT_EQ(package.path, entry.url);
  EXPECT_EQ(package.sha256, entry.sha256);
  EXPECT_EQ(package.source, specs::kArtifactSource);
}

TEST_F(Artifacts, BytesThatAreNotTheNamedOnesAreRefused) {
  for (bool extract : {false, true}) {
    ArtifactEntry entry = Entry("/opt/tool", "what was named");
    entry.extract = extract;
    std::ofstream(path_, std::ios::binary) << "what is there";
    EXPECT_THAT(Refusal(entry), HasSubstr(entry.sha256.Hex()));
    EXPECT_EQ(kind_, ErrorKind::kVerification);
  }
}

TEST_F(Artifacts, ErrorsShowNoSecretOfTheUrl) {
  const std::string message = RefusalOf("no archive");
  EXPECT_THAT(message, HasSubstr("files.example"));
  EXPECT_EQ(message.find("secret"), std::string::npos) << message;
  EXPECT_EQ(message.find("token"), std::string::npos) << message;
}

TEST_F(Artifacts, UnpacksWithNormalisedModesAndTimes) {
  const std::string tar = Tar({TarEntry("tool-1/", '5', "", "", "0000700"),
                               TarEntry("tool-1/bin/run", '0', "code", "", "0004711"),
                               TarEntry("tool-1/doc", '0', "text", "", "0000666"),
                               TarEntry("tool-1/link", '2', "", "bin/run")});
  for (const std::string& bytes : {tar, support::Gzip(tar)}) {
    ContentTree tree = Extract(bytes, "/opt/tool", 1);
    ASSERT_THAT(Paths(tree), ElementsAre("opt/tool/bin/run", "opt/tool/doc", "opt/tool/link"));
    EXPECT_EQ(tree["opt/tool/bin/run"].node.mode, 0755u);
    EXPECT_EQ(tree["opt/tool/bin/run"].content, "code");
    EXPECT_EQ(tree["opt/tool/doc"].node.mode, 0644u);
    EXPECT_EQ(tree["opt/tool/doc"].node.mtime, layers::kFixedTime);
    EXPECT_EQ(tree["opt/tool/link"].node.target, "bin/run");
    EXPECT_EQ(tree["opt/tool/link"].node.type, NodeType::kSymlink);
  }
}

TEST_F(Artifacts, UnpacksZipsAndIntoTheRoot) {
  const std::string zip = support::MakeZip({{.name = "bin/run", .content = "code", .mode = 0100755},
                                            {.name = "doc", .content = "text"}});
  ContentTree tree = Extract(zip, "/");
  ASSERT_THAT(Paths(tree), ElementsAre("bin/run", "doc"));
  EXPECT_EQ(tree["bin/run"].node.mode, 0755u);
}

TEST_F(Artifacts, HardLinksBecomeFiles) {
  ContentTree tree = Extract(
      Tar({TarEntry("a/one", '0', "same"), TarEntry("a/two", '1', "", "a/one")}), "/opt", 1);
  EXPECT_EQ(tree["opt/two"].content, "same");
  EXPECT_EQ(tree["opt/two"].node.type, NodeType::kFile);
}

// Neither the size of files nor their number makes memory grow.
TEST_F(Artifacts, WhatIsLargeLiesOnTheDisk) {
  const std::string large(100'000, 'x');
  std::vector<std::string> entries = {TarEntry("large", '0', large, "", "0000755"),
                                      TarEntry("again", '1', "", "large")};
  const std::string small(60'000, 'y');
  for (int i = 0; i < 1200; ++i) entries.push_back(TarEntry(fmt::format("s{:04}", i), '0', small));
  for (int i = 0; i < 1200; ++i) {
    entries.push_back(TarEntry(fmt::format("t{:04}", i), '1', "", "s0000"));
  }
  ContentTree tree = Extract(Tar(entries), "/");
  ASSERT_EQ(tree.size(), 2402u);
  std::uint64_t held = 0;
  for (const auto& [path, file] : tree) {
    held += file.content.size();
    if (file.disk_path.empty()) continue;
    EXPECT_EQ(layers::ReadFile(file.disk_path), path[0] == 's' || path[0] == 't' ? small : large);
  }
  EXPECT_LE(held, 64u << 20);
  EXPECT_GT(held, 60u << 20);
  EXPECT_EQ(tree["large"].content, "");
  EXPECT_EQ(tree["large"].node.size, large.size());
  EXPECT_EQ(tree["large"].node.digest, specs::HashOf(large));
  EXPECT_EQ(tree["large"].node.mode, 0755u);
  EXPECT_EQ(tree["large"].node.mtime, layers::kFixedTime);
  EXPECT_EQ(tree["again"].disk_path, tree["large"].disk_path);
  EXPECT_EQ(tree["s0000"].node.digest, specs::HashOf(small));
  EXPECT_EQ(tree["t1199"].node.digest, specs::HashOf(small));
}

TEST_F(Artifacts, RefusesPathsThatLeadOut) {
  EXPECT_THAT(RefusalOf(Tar({TarEntry("../etc/passwd", '0', "x")})), HasSubstr("../etc/passwd"));
  EXPECT_THAT(RefusalOf(Tar({TarEntry("a/../../b", '0', "x")})), HasSubstr("unsafe"));
  EXPECT_THAT(RefusalOf(Tar({TarEntry("a", '0', "x"), TarEntry("b", '1', "", "../a")})),
              HasSubstr("unsafe"));
  EXPECT_THAT(RefusalOf(support::MakeZip({{.name = "../x", .content = "x"}})), HasSubstr("unsafe"));
}

// An absolute path stays below the place all the same.
TEST_F(Artifacts, AbsolutePathsLieBelowThePlace) {
  EXPECT_THAT(Paths(Extract(Tar({TarEntry("/etc/passwd", '0', "x")}))),
              ElementsAre("opt/tool/etc/passwd"));
}

// The one tree refuses what would be written through a link.
TEST_F(Artifacts, NothingIsWrittenThroughALinkOfTheArchive) {
  const ContentTree tree =
      Extract(Tar({TarEntry("a", '2', "", "/etc"), TarEntry("a/passwd", '0', "x")}));
  const std::vector<layers::TreeInput> inputs = {{"files", &tree}};
  EXPECT_THROW(layers::UniteTrees(inputs), Error);
}

TEST_F(Artifacts, RefusesWhatNoImageCanHold) {
  EXPECT_THAT(RefusalOf(Tar({TarEntry("dev/null", '3', "")})), HasSubstr("dev/null"));
  EXPECT_THAT(RefusalOf(Tar({TarEntry("pipe", '6', "")})), HasSubstr("pipe"));
  EXPECT_THAT(RefusalOf(Tar({TarEntry("b", '1', "", "a")})), HasSubstr("without its file"));
  EXPECT_THAT(RefusalOf(Tar({TarEntry("a/", '5', ""), TarEntry("b", '1', "", "a")})),
              HasSubstr("without its file"));
}

TEST_F(Artifacts, RefusesWhatIsCutOrNoArchive) {
  const std::string tar = Tar({TarEntry("a", '0', std::string(5000, 'x'))});
  EXPECT_THAT(RefusalOf(tar.substr(0, 2000)), HasSubstr("while unpacking"));
  EXPECT_THAT(RefusalOf(support::Gzip(tar).substr(0, 60)), HasSubstr("while unpacking"));
  EXPECT_THAT(RefusalOf("plain text"), HasSubstr("while unpacking"));
}

}  // namespace
}  // namespace imgbuild::builder
