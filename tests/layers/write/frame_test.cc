#include "layers/write/frame.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/archive.h"
#include "layers/io/hashing.h"
#include "layers/tree/file_tree.h"
#include "specs/base/error.h"
#include "tests/support/faulty_stream.h"

namespace imgbuild::layers {
namespace {

class FrameTest : public testing::TestWithParam<Compression> {
 protected:
  std::unique_ptr<const Codec> codec_ = MakeCodec(GetParam());
  InlineExecutor here_;
};

INSTANTIATE_TEST_SUITE_P(All, FrameTest, testing::Values(Compression::kZstd, Compression::kGzip),
                         [](const auto& test) { return std::string(CompressionName(test.param)); });

Node HardlinkTo(std::string target) {
  Node node;
  node.type = NodeType::kHardlink;
  node.target = std::move(target);
  return node;
}

// 30 MB in files of many sizes.
FrameInfo WriteLarge(Sink& sink, const Codec& codec, Executor& executor) {
  FrameWriter frame(sink, codec, executor);
  std::string noise;
  for (int i = 0; i < 2000; ++i) noise += std::to_string(i * 7919 % 10007) + " ";
  for (int i = 0; i < 300; ++i) {
    std::string content;
    for (int k = 0; k < i % 29; ++k) content += noise.substr(i + k);
    frame.Add(fmt::format("f{:03}", i), MakeFile(content).node, content);
  }
  return frame.Finish();
}

TEST_P(FrameTest, HoldsTheEntriesInOrder) {
  StringSink sink;
  FrameWriter frame(sink, *codec_, here_);
  frame.Add("a", MakeFile("first").node, "first");
  MemorySource content("second");
  support::SlowSource slow(content, 2);
  frame.Add("a-b", MakeFile("second").node, slow);
  frame.Add("a/c", HardlinkTo("a-b"));
  frame.Add("empty", MakeFile("").node);
  frame.Add("link", MakeSymlink("a").node);
  FrameInfo info = frame.Finish();
  EXPECT_EQ(info.codec, codec_->id());
  EXPECT_EQ(info.tar_size, 7 * 512u);
  EXPECT_EQ(info.compressed_size, sink.text().size());
  EXPECT_EQ(info.digest, specs::HashOf(sink.text()));
  ArchiveReader reader(sink.text(), ArchiveFormat::kTar);
  std::string seen;
  while (auto entry = reader.Next())
    seen += entry->path + "=" + ReadAll(reader.Data()) + entry->target + ";";
  EXPECT_EQ(seen, "a=first;a-b=second;a/c=a-b;empty=;link=a;");
}

TEST_P(FrameTest, BytesDoNotDependOnThreads) {
  StringSink alone, threaded;
  ThreadExecutor four(4);
  FrameInfo one = WriteLarge(alone, *codec_, here_);
  FrameInfo many = WriteLarge(threaded, *codec_, four);
  EXPECT_GT(one.tar_size, 2 * codec_->piece_size());
  EXPECT_EQ(one, many);
  EXPECT_TRUE(alone.text() == threaded.text());
}

TEST_P(FrameTest, NothingAddedIsNothing) {
  StringSink sink;
  FrameInfo info = FrameWriter(sink, *codec_, here_).Finish();
  EXPECT_EQ(info.tar_size, 0u);
  EXPECT_EQ(info.compressed_size, 0u);
  EXPECT_EQ(sink.text(), "");
}

TEST_P(FrameTest, RefusesWhatWouldBreakTheOrder) {
  StringSink sink;
  FrameWriter frame(sink, *codec_, here_);
  frame.Add("b", MakeFile("").node);
  EXPECT_THROW(frame.Add("b", MakeFile("").node), specs::Error);
  EXPECT_THROW(frame.Add("a", MakeFile("").node), specs::Error);
  EXPECT_THROW(frame.Add("c/../d", MakeFile("").node), specs::Error);
  EXPECT_THROW(frame.Add("d", MakeDirectory().node), specs::Error);
  EXPECT_THROW(frame.Add("e", HardlinkTo("x")), specs::Error);
  EXPECT_THROW(frame.Add("e", HardlinkTo("e")), specs::Error);
}

TEST_P(FrameTest, ContentMustHaveTheEntrysSize) {
  for (std::string_view content : {"", "123", "12345"}) {
    StringSink sink;
    FrameWriter frame(sink, *codec_, here_);
    EXPECT_THROW(frame.Add("a", MakeFile("1234").node, content), specs::Error);
  }
}

TEST_P(FrameTest, AFailingSinkOrSourceComesThrough) {
  StringSink whole;
  std::uint64_t size = WriteLarge(whole, *codec_, here_).compressed_size;
  ThreadExecutor two(2);
  for (std::uint64_t good : {std::uint64_t{0}, size / 2, size - 1}) {
    NullSink null;
    support::FaultySink faulty(null, good);
    EXPECT_THROW(WriteLarge(faulty, *codec_, two), specs::Error) << good;
  }
  NullSink null;
  FrameWriter frame(null, *codec_, here_);
  MemorySource content("1234");
  support::FaultySource faulty(content, 2);
  EXPECT_THROW(frame.Add("a", MakeFile("1234").node, faulty), specs::Error);
}

TEST_P(FrameTest, TranscodingGivesTheFrameOfTheOtherCodec) {
  auto other =
      MakeCodec(GetParam() == Compression::kZstd ? Compression::kGzip : Compression::kZstd);
  StringSink from, expected, to;
  WriteLarge(from, *codec_, here_);
  FrameInfo direct = WriteLarge(expected, *other, here_);
  MemorySource source(from.text());
  ThreadExecutor two(2);
  EXPECT_EQ(Transcode(source, *codec_, to, *other, two), direct);
  EXPECT_TRUE(to.text() == expected.text());
}

TEST(WriteSkeleton, TakesDirectoriesInOrderOnly) {
  auto codec = MakeCodec(Compression::kZstd);
  NullSink sink;
  std::vector<TreeEntry> good{{"a", MakeDirectory().node, 0}, {"a/b", MakeDirectory().node, 0}};
  EXPECT_EQ(WriteSkeleton(good, sink, *codec).tar_size, 1024u);
  std::vector<TreeEntry> unsorted{good[1], good[0]};
  EXPECT_THROW(WriteSkeleton(unsorted, sink, *codec), specs::Error);
  std::vector<TreeEntry> file{{"a", MakeFile("").node, 0}};
  EXPECT_THROW(WriteSkeleton(file, sink, *codec), specs::Error);
}

}  // namespace
}  // namespace imgbuild::layers
