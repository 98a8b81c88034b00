#include "layers/io/archive.h"

#include <cstdlib>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "layers/io/file.h"
#include "specs/base/error.h"
#include "tests/support/faulty_stream.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

// Runs a shell command in `folder`; false where it (or its program) fails.
bool Shell(const fs::path& folder, const std::string& command) {
  return std::system(("cd '" + folder.string() + "' && (" + command + ") 2>/dev/null").c_str()) ==
         0;
}

class ArchiveTest : public testing::Test {
 protected:
  ArchiveTest() {
    fs::create_directory(folder_.path() / "in");
    std::ofstream(folder_.path() / "in/a") << "content of a";
    std::ofstream(folder_.path() /
                  "in/gr\xc3\xbc\xc3\x9f"
                  "e")
        << big_;
    ::chmod((folder_.path() / "in/a").c_str(), 04755);
    fs::create_symlink("a", folder_.path() / "in/link");
    fs::create_hard_link(folder_.path() / "in/a", folder_.path() / "in/hard");
  }

  std::string Pack(const std::string& command) {
    EXPECT_TRUE(Shell(folder_.path(), command)) << command;
    return ReadFile(folder_.path() / "out");
  }

  support::TempFolder folder_;
  std::string big_ = std::string(1 << 20, 'b');
};

struct Seen {
  ArchiveEntry entry;
  std::string data;
};

std::vector<Seen> ReadEntries(ArchiveReader& reader) {
  std::vector<Seen> all;
  while (std::optional<ArchiveEntry> entry = reader.Next()) {
    std::string data = ReadAll(reader.Data());
    all.push_back({*std::move(entry), std::move(data)});
  }
  return all;
}

TEST_F(ArchiveTest, ReadsTarInEveryCompressionAndFormat) {
  for (std::string options : {"", "-z", "-J", "--zstd", "--format=pax", "--format=gnu --sparse"}) {
    SCOPED_TRACE(options);
    std::string bytes = Pack(
        "tar --sort=name --mtime=@1000000000 --owner=7 --group=8 "
        "--numeric-owner " +
        options + " -cf out -C in .");
    MemorySource memory(bytes);
    support::SlowSource source(memory, 1000);
    ArchiveReader reader(source, ArchiveFormat::kTar);
    std::vector<Seen> all = ReadEntries(reader);
    ASSERT_EQ(all.size(), 5u);
    EXPECT_EQ(all[0].entry.path, "./");
    EXPECT_EQ(all[0].entry.type, ArchiveType::kDirectory);
    EXPECT_EQ(all[1].entry.path, "./a");
    EXPECT_EQ(all[1].entry.mode, 04755u);
    EXPECT_EQ(all[1].entry.mtime, 1'000'000'000);
    EXPECT_EQ(all[1].entry.uid, 7u);
    EXPECT_EQ(all[1].entry.gid, 8u);
    EXPECT_EQ(all[1].data, "content of a");
    EXPECT_EQ(all[2].entry.path,
              "./gr\xc3\xbc\xc3\x9f"
              "e");
    EXPECT_EQ(all[2].data, big_);
    EXPECT_EQ(all[3].entry.type, ArchiveType::kHardlink);
    EXPECT_EQ(all[3].entry.target, "./a");
    EXPECT_EQ(all[4].entry.type, ArchiveType::kSymlink);
    EXPECT_EQ(all[4].entry.target, "a");
  }
}

TEST_F(ArchiveTest, ReadsAZipFromMemoryWithItsModes) {
  if (!Shell(folder_.path(), "python3 -c 'import zipfile'")) GTEST_SKIP() << "python3 is not here";
  std::string bytes = Pack(
      "python3 -c \"import zipfile,os; z=zipfile.ZipFile('out','w',8); z.write('in/a','d/a');"
      "i=zipfile.ZipInfo('d/l'); i.create_system=3; i.external_attr=0o120777<<16;"
      "z.writestr(i,'a'); z.close()\"");
  ArchiveReader reader(bytes, ArchiveFormat::kAny);
  std::vector<Seen> all = ReadEntries(reader);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].entry.path, "d/a");
  EXPECT_EQ(all[0].entry.mode, 04755u);
  EXPECT_EQ(all[0].data, "content of a");
  EXPECT_EQ(all[1].entry.type, ArchiveType::kSymlink);
  EXPECT_EQ(all[1].entry.target, "a");
}

TEST_F(ArchiveTest, ReadsATarInsideAnAr) {
  if (!Shell(folder_.path(), "command -v ar")) GTEST_SKIP() << "ar is not here";
  std::string bytes = Pack("tar -C in -cJf data.tar.xz a && ar rc out data.tar.xz");
  MemorySource source(bytes);
  ArchiveReader outer(source, ArchiveFormat::kAr);
  std::optional<ArchiveEntry> member = outer.Next();
  ASSERT_TRUE(member);
  EXPECT_EQ(member->path, "data.tar.xz");
  ArchiveReader inner(outer.Data(), ArchiveFormat::kTar);
  std::vector<Seen> all = ReadEntries(inner);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].data, "content of a");
}

TEST_F(ArchiveTest, ATarCutAnywhereIsAnErrorOrEndsBetweenEntries) {
  std::string bytes = Pack("tar --sort=name --format=ustar -cf out -C in a link");
  for (std::size_t size = 1; size < 1500; size += 7) {
    MemorySource source(std::string_view(bytes).substr(0, size));
    try {
      ArchiveReader reader(source, ArchiveFormat::kTar);
      for (const Seen& seen : ReadEntries(reader)) {
        EXPECT_EQ(seen.data, seen.entry.path == "a" ? "content of a" : "");
      }
    } catch (const specs::Error&) {
    }
  }
}

TEST_F(ArchiveTest, CutCompressionIsAnError) {
  for (std::string program : {"gzip", "xz", "zstd -q", "bzip2"}) {
    std::string bytes = Pack(program + " -c < in/a > out");
    MemorySource whole(bytes);
    EXPECT_EQ(ReadAll(*Decompressed(whole)), "content of a") << program;
    MemorySource cut(std::string_view(bytes).substr(0, bytes.size() - 10));
    EXPECT_THROW(ReadAll(*Decompressed(cut)), specs::Error) << program;
  }
}

TEST_F(ArchiveTest, ConcatenatedStreamsAreOne) {
  for (std::string program : {"gzip", "xz", "zstd -q"}) {
    std::string bytes = Pack("(" + program + " -c < in/a; " + program + " -c < in/a) > out");
    MemorySource source(bytes);
    EXPECT_EQ(ReadAll(*Decompressed(source)), "content of acontent of a") << program;
  }
}

TEST_F(ArchiveTest, PlainAndEmptyStreamsPass) {
  for (std::string_view text : {"", "x", "plain text, longer than any magic"}) {
    MemorySource source(text);
    EXPECT_EQ(ReadAll(*Decompressed(source)), text);
  }
  std::string bytes = Pack("gzip -c < /dev/null > out");
  MemorySource source(bytes);
  EXPECT_EQ(ReadAll(*Decompressed(source)), "");
}

TEST_F(ArchiveTest, TheSourcesOwnErrorComesThrough) {
  std::string bytes = Pack("tar -cf out -C in .");
  MemorySource memory(bytes);
  support::FaultySource source(memory, 2000, 512);
  try {
    ArchiveReader reader(source, ArchiveFormat::kTar);
    ReadEntries(reader);
    FAIL();
  } catch (const specs::Error& error) {
    EXPECT_EQ(error.message(), "injected: the connection was lost");
  }
}

TEST_F(ArchiveTest, OtherBytesAreNoArchive) {
  for (std::string_view bytes :
       {std::string_view(""), std::string_view("<html>not found</html>")}) {
    MemorySource source(bytes);
    EXPECT_THROW(
        {
          ArchiveReader reader(source, ArchiveFormat::kTar);
          reader.Next();
        },
        specs::Error);
  }
}

TEST_F(ArchiveTest, RandomDamageOnlyThrowsErrors) {
  std::string original = Pack("tar --sort=name --format=pax -czf out -C in a link hard");
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::string bytes = original;
    for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    FuzzArchive(bytes);
  }
}

}  // namespace
}  // namespace imgbuild::layers
