#include "layers/write/tar.h"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/archive.h"
#include "layers/io/file.h"
#include "layers/tree/file_tree.h"
#include "specs/base/digest.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

using namespace std::string_literals;

std::string HeaderOf(std::string_view path, const Node& node) {
  std::string out;
  AppendTarHeader(out, path, node);
  return out;
}

std::string Padded(std::string text, std::size_t size) {
  text.resize(size, '\0');
  return text;
}

Node Link(NodeType type, std::string target) {
  Node node = MakeSymlink(std::move(target)).node;
  node.type = type;
  return node;
}

// What libarchive makes of one entry.
ArchiveEntry ReadBack(const std::string& bytes) {
  ArchiveReader reader(bytes, ArchiveFormat::kTar);
  return reader.Next().value();
}

TEST(AppendTarHeader, EveryByteOfAFileIsFixed) {
  Node node = MakeFile("hello", 04755, 1000, 50).node;
  node.mtime = 1'700'000'000;
  std::string expected = Padded("usr/bin/env", 100) + "0004755\0"s + "0001750\0"s + "0000062\0"s +
                         "00000000005\0"s + "14524770400\0"s + "011372\0 "s + "0" +
                         Padded("", 100) + "ustar\0"s + "00" + Padded("", 64) + "0000000\0"s +
                         "0000000\0"s + Padded("", 167);
  EXPECT_EQ(HeaderOf("usr/bin/env", node), expected);
}

TEST(AppendTarHeader, DirectoriesEndInASlashAndLinksHaveTargets) {
  std::string directory = HeaderOf("usr", MakeDirectory(01777).node);
  EXPECT_TRUE(directory.starts_with("usr/\0"s));
  EXPECT_EQ(directory[156], '5');
  EXPECT_EQ(directory.substr(100, 8), "0001777\0"s);
  std::string symlink = HeaderOf("a", Link(NodeType::kSymlink, "../b"));
  EXPECT_EQ(symlink[156], '2');
  EXPECT_EQ(symlink.substr(157, 5), "../b\0"s);
  EXPECT_EQ(HeaderOf("a", Link(NodeType::kHardlink, "b"))[156], '1');
}

TEST(AppendTarHeader, LongPathsSplitAtTheFirstPossibleSlash) {
  std::string path =
      std::string(120, 'a') + "/" + std::string(30, 'b') + "/" + std::string(60, 'c');
  std::string header = HeaderOf(path, MakeFile("").node);
  ASSERT_EQ(header.size(), kTarBlock);
  EXPECT_EQ(header.substr(345, 121), std::string(120, 'a') + '\0');
  EXPECT_EQ(ReadBack(header).path, path);
}

TEST(AppendTarHeader, PathsOfEveryLengthReadBack) {
  for (std::size_t part : {20u, 50u, 99u, 100u, 101u, 155u, 156u, 255u}) {
    std::string path;
    for (int i = 0; i < 8; ++i) {
      path += (i > 0 ? "/" : "") + std::string(part, static_cast<char>('a' + i));
      EXPECT_EQ(ReadBack(HeaderOf(path, MakeFile("").node)).path, path);
      EXPECT_EQ(ReadBack(HeaderOf(path, MakeDirectory().node)).path, path + "/");
      EXPECT_EQ(ReadBack(HeaderOf("l", Link(NodeType::kSymlink, path))).target, path);
    }
  }
}

TEST(AppendTarHeader, PaxHoldsOnlyWhatUstarCannot) {
  EXPECT_EQ(HeaderOf("gr\xc3\xbcn", MakeFile("").node).size(), 3 * kTarBlock);
  std::string header = HeaderOf("gr\xc3\xbcn", MakeFile("").node);
  EXPECT_TRUE(header.starts_with("././@PaxHeader\0"s));
  EXPECT_EQ(header.substr(kTarBlock, 15), "14 path=gr\xc3\xbcn\n\0"s);
  EXPECT_TRUE(header.substr(2 * kTarBlock).starts_with("gr__n\0"s));
  EXPECT_EQ(ReadBack(header).path, "gr\xc3\xbcn");
}

TEST(AppendTarHeader, NamesThatAreNotUtf8AreMarkedBinary) {
  for (std::string name : {"a\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    std::string header = HeaderOf(name, MakeFile("").node);
    EXPECT_THAT(header, testing::HasSubstr("21 hdrcharset=BINARY\n"));
    EXPECT_EQ(ReadBack(header).path, name);
  }
}

TEST(AppendTarHeader, LargeNumbersGoToPax) {
  Node node;
  node.size = 9ull << 30;
  node.uid = 3'000'000'000;
  node.mtime = -1;
  ArchiveEntry entry = ReadBack(HeaderOf("big", node));
  EXPECT_EQ(entry.size, 9ull << 30);
  EXPECT_EQ(entry.uid, 3'000'000'000u);
  EXPECT_EQ(entry.mtime, -1);
  node = Node();
  node.size = (8ull << 30) - 1;
  node.uid = 2'097'151;
  EXPECT_EQ(HeaderOf("big", node).size(), kTarBlock);
}

TEST(AppendTarHeader, PaxLengthsCountThemselves) {
  for (std::size_t size = 101; size < 1100; ++size) {
    std::string target(size, 't');
    EXPECT_EQ(ReadBack(HeaderOf("l", Link(NodeType::kSymlink, target))).target, target);
  }
}

TEST(TarPadding, FillsTheBlock) {
  EXPECT_EQ(TarPadding(0), 0u);
  EXPECT_EQ(TarPadding(1), 511u);
  EXPECT_EQ(TarPadding(512), 0u);
  EXPECT_EQ(TarPadding(513), 511u);
  EXPECT_EQ(TarEnd(), std::string(1024, '\0'));
}

std::string SampleTar() {
  std::string tar;
  std::string deep = std::string(90, 'd') + "/" + std::string(90, 'e') + "/" + std::string(90, 'f');
  AppendTarHeader(tar, "dir", MakeDirectory(0750).node);
  AppendTarHeader(tar, "dir/file", MakeFile("content").node);
  tar += Padded("content", kTarBlock);
  AppendTarHeader(tar, "dir/hard", Link(NodeType::kHardlink, "dir/file"));
  AppendTarHeader(tar, "dir/link", MakeSymlink("file").node);
  AppendTarHeader(tar, deep, MakeFile("").node);
  AppendTarHeader(tar, "gr\xc3\xbcn", MakeFile("").node);
  return tar + TarEnd();
}

TEST(Tar, TheWholeSampleIsFixed) {
  EXPECT_EQ(specs::HashOf(SampleTar()).Hex(),
            "81cd34b823f3a547214625e7209c5d9e383aaf234c8c023e5995ae2173b94df9");
}

// Runs a command on the sample; its output, or nullopt where the program is not here.
std::optional<std::string> Reader(const std::string& program, const std::string& command) {
  if (std::system(("command -v " + program + " > /dev/null 2>&1").c_str()) != 0)
    return std::nullopt;
  support::TempFolder folder;
  std::ofstream(folder.path() / "t.tar") << SampleTar();
  std::string line = "cd '" + folder.path().string() + "' && (" + command + ") > out 2>&1";
  EXPECT_EQ(std::system(line.c_str()), 0) << ReadFile(folder.path() / "out");
  return ReadFile(folder.path() / "out");
}

TEST(Tar, GnuTarReadsIt) {
  auto text =
      Reader("tar", "TZ=UTC LC_ALL=C.UTF-8 tar --quoting-style=literal --numeric-owner -tvf t.tar");
  if (!text) GTEST_SKIP() << "tar is not here";
  EXPECT_THAT(*text, testing::HasSubstr("drwxr-x--- 0/0               0 1980-01-01 00:00 dir/\n"));
  EXPECT_THAT(*text, testing::HasSubstr("dir/hard link to dir/file\n"));
  EXPECT_THAT(*text, testing::HasSubstr("dir/link -> file\n"));
  EXPECT_THAT(*text, testing::HasSubstr("gr\xc3\xbcn\n"));
  EXPECT_THAT(*text, testing::Not(testing::HasSubstr("tar:")));
}

TEST(Tar, PythonReadsIt) {
  auto text = Reader("python3",
                     "python3 -c \"import tarfile; t=tarfile.open('t.tar');"
                     "print([(len(m.name), m.type, m.size, m.linkname) for m in t]);"
                     "print(t.extractfile('dir/hard').read())\"");
  if (!text) GTEST_SKIP() << "python3 is not here";
  EXPECT_EQ(*text,
            "[(3, b'5', 0, ''), (8, b'0', 7, ''), (8, b'1', 0, 'dir/file'), (8, b'2', 0, 'file'), "
            "(272, b'0', 0, ''), (4, b'0', 0, '')]\nb'content'\n");
}

}  // namespace
}  // namespace imgbuild::layers
