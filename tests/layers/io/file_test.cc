#include "layers/io/file.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/atomic_file.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::size_t FilesIn(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
}

TEST(FileSink, WritesSmallAndLargePiecesInOrder) {
  support::TempFolder folder;
  std::string expected;
  FileSink sink(folder.path() / "a");
  for (std::size_t size : {1u, 100u, 200'000u, 3u, 131'072u, 131'071u, 7u}) {
    std::string piece(size, static_cast<char>('a' + expected.size() % 26));
    sink.Write(piece);
    expected += piece;
  }
  sink.Close();
  EXPECT_EQ(ReadFile(folder.path() / "a"), expected);
  FileSource source(folder.path() / "a");
  EXPECT_EQ(source.size(), expected.size());
  EXPECT_EQ(ReadAll(source), expected);
  EXPECT_EQ(MappedFile(folder.path() / "a").bytes(), expected);
}

TEST(FileSink, FullDiskNamesTheFileAndSaysSo) {
  FileSink sink("/dev/full");
  sink.Write("x");
  try {
    sink.Close();
    FAIL() << "a full disk went unnoticed";
  } catch (const specs::Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("/dev/full"));
    EXPECT_THAT(error.hint(), HasSubstr("disk is full"));
  }
}

TEST(FileSource, ReadsARangeOfAFile) {
  support::TempFolder folder;
  WriteFileAtomically(folder.path() / "a", "0123456789");
  auto range = [&](std::uint64_t offset, std::uint64_t size) {
    FileSource source(folder.path() / "a", offset, size);
    return ReadAll(source);
  };
  EXPECT_EQ(range(3, 4), "3456");
  EXPECT_EQ(range(0, 10), "0123456789");
  EXPECT_EQ(range(8, 100), "89");  // what is there
  EXPECT_EQ(range(4, 0), "");
  EXPECT_EQ(range(11, 5), "");
}

TEST(FileSource, MissingFileAndFolderAndFifoAreErrors) {
  support::TempFolder folder;
  EXPECT_THROW(FileSource(folder.path() / "none"), specs::Error);
  EXPECT_THROW(FileSource(folder.path()), specs::Error);
  EXPECT_THROW(MappedFile("/dev/zero"), specs::Error);
}

TEST(ReadFile, RefusesMoreThanTheLimit) {
  support::TempFolder folder;
  std::ofstream(folder.path() / "a") << "12345";
  EXPECT_EQ(ReadFile(folder.path() / "a", 5), "12345");
  EXPECT_THROW(ReadFile(folder.path() / "a", 4), specs::Error);
}

TEST(MappedFile, WhatIsForgottenCanBeReadAgain) {
  support::TempFolder folder;
  std::string content;
  for (int i = 0; i < 300'000; ++i) content += static_cast<char>(i % 251);
  WriteFileAtomically(folder.path() / "a", content);
  const MappedFile file(folder.path() / "a");
  file.Forget(file.bytes().substr(5'000, 100'000));
  file.Forget(file.bytes().substr(300'000));
  file.Forget(file.bytes());
  EXPECT_TRUE(file.bytes() == content);
}

TEST(MappedFile, AnEmptyFileIsAnEmptyView) {
  support::TempFolder folder;
  std::ofstream(folder.path() / "a").flush();
  MappedFile file(folder.path() / "a");
  MappedFile moved = std::move(file);
  EXPECT_TRUE(moved.bytes().empty());
}

TEST(AtomicFile, AppearsOnlyWhenPublishedAndReplaces) {
  support::TempFolder folder;
  fs::path target = folder.path() / "target";
  std::ofstream(target) << "old";
  AtomicFile file(folder.path());
  file.Write("wrong start");
  file.Restart();
  file.Write("new");
  EXPECT_THAT(file.temporary().filename().string(), testing::StartsWith(kTemporaryPrefix));
  EXPECT_EQ(ReadFile(target), "old");
  file.Publish(target);
  EXPECT_EQ(ReadFile(target), "new");
  EXPECT_EQ(FilesIn(folder.path()), 1u);
}

TEST(AtomicFile, LeavesNothingWhenAbandoned) {
  support::TempFolder folder;
  try {
    AtomicFile file(folder.path());
    file.Write(std::string(500'000, 'x'));
    throw std::runtime_error("cut");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(FilesIn(folder.path()), 0u);
}

TEST(AtomicFile, LeavesNothingWhenTheTargetCannotBe) {
  support::TempFolder folder;
  fs::create_directories(folder.path() / "target" / "full");
  {
    AtomicFile file(folder.path());
    file.Write("x");
    EXPECT_THROW(file.Publish(folder.path() / "target"), specs::Error);
  }
  EXPECT_EQ(FilesIn(folder.path()), 1u);
}

TEST(AtomicFile, PublishedUnsyncedIsWholeToo) {
  support::TempFolder folder;
  AtomicFile file(folder.path());
  file.Write("text");
  file.PublishUnsynced(folder.path() / "a");
  SyncFileSystem(folder.path());
  EXPECT_EQ(ReadFile(folder.path() / "a"), "text");
  EXPECT_EQ(FilesIn(folder.path()), 1u);
  EXPECT_THROW(SyncFileSystem(folder.path() / "none"), specs::Error);
}

TEST(AtomicFile, MissingFolderIsAnError) {
  EXPECT_THROW(AtomicFile("/nonexistent/folder"), specs::Error);
}

TEST(WriteFileAtomically, WritesTheWholeFile) {
  support::TempFolder folder;
  WriteFileAtomically(folder.path() / "a", "text");
  EXPECT_EQ(ReadFile(folder.path() / "a"), "text");
}

}  // namespace
}  // namespace imgbuild::layers
