#include "layers/write/layer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/archive.h"
#include "layers/io/atomic_file.h"
#include "layers/io/hashing.h"
#include "layers/write/frame.h"
#include "layers/write/tar.h"
#include "specs/base/error.h"
#include "tests/support/faulty_stream.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

class LayerTest : public testing::TestWithParam<Compression> {
 protected:
  LayerTest() {
    packages_ = {
        {{"usr/bin/a", MakeFile(std::string(9 << 20, 'a'))}, {"usr/bin/b", MakeSymlink("a")}},
        {{"opt/empty", MakeDirectory(0700)}, {"usr/bin/c", MakeFile("c")}}};
    std::vector<TreeInput> inputs;
    for (const ContentTree& package : packages_) {
      inputs.push_back({"package", &package});
      frames_.push_back(FrameOf(package));
    }
    tree_ = UniteTrees(inputs).tree;
  }

  std::string FrameOf(const ContentTree& package) {
    StringSink sink;
    FrameWriter frame(sink, *codec_, executor_);
    for (const auto& [path, file] : package) {
      if (file.node.type == NodeType::kFile) frame.Add(path, file.node, file.content);
      if (file.node.type == NodeType::kSymlink) frame.Add(path, file.node);
    }
    frame.Finish();
    return sink.Take();
  }

  LayerInfo WriteLayer(Sink& sink, Executor& executor) {
    std::vector<OwnerId> owners{0, 1};
    LayerWriter layer(sink, *codec_, executor);
    layer.AddSkeleton(Skeleton(tree_, owners));
    for (const std::string& frame : frames_) {
      MemorySource source(frame);
      layer.AddFrame(source);
    }
    return layer.Finish();
  }

  std::unique_ptr<const Codec> codec_ = MakeCodec(GetParam());
  ThreadExecutor executor_{2};
  std::vector<ContentTree> packages_;
  std::vector<std::string> frames_;
  FileTree tree_;
};

INSTANTIATE_TEST_SUITE_P(All, LayerTest, testing::Values(Compression::kZstd, Compression::kGzip),
                         [](const auto& test) { return std::string(CompressionName(test.param)); });

TEST_P(LayerTest, DigestSizeAndDiffIdAreTrue) {
  StringSink blob;
  LayerInfo info = WriteLayer(blob, executor_);
  EXPECT_EQ(info.size, blob.text().size());
  EXPECT_EQ(info.digest, specs::HashOf(blob.text()));
  MemorySource source(blob.text());
  std::string tar = ReadAll(*Decompressed(source));
  EXPECT_EQ(info.uncompressed_size, tar.size());
  EXPECT_EQ(info.diff_id, specs::HashOf(tar));
  EXPECT_TRUE(tar.ends_with(std::string(1024, '\0')));
}

TEST_P(LayerTest, ReadersSeeExactlyTheTree) {
  StringSink blob;
  WriteLayer(blob, executor_);
  ArchiveReader reader(blob.text(), ArchiveFormat::kTar);
  std::vector<std::string> seen, expected;
  while (auto entry = reader.Next()) {
    std::string path = entry->path;
    if (entry->type == ArchiveType::kDirectory) path.pop_back();
    seen.push_back(path);
    const TreeEntry* in_tree = tree_.Find(path);
    ASSERT_NE(in_tree, nullptr) << path;
    EXPECT_EQ(entry->mode, in_tree->node.mode);
    EXPECT_EQ(entry->mtime, in_tree->node.mtime);
    EXPECT_EQ(entry->target, in_tree->node.target);
    if (in_tree->node.type == NodeType::kFile) {
      EXPECT_EQ(specs::HashOf(ReadAll(reader.Data())), in_tree->node.digest);
    }
  }
  for (const TreeEntry& entry : tree_.entries()) expected.push_back(entry.path);
  EXPECT_THAT(seen, testing::UnorderedElementsAreArray(expected));
}

TEST_P(LayerTest, BytesDoNotDependOnThreads) {
  InlineExecutor here;
  StringSink one, two;
  EXPECT_EQ(WriteLayer(one, here), WriteLayer(two, executor_));
  EXPECT_TRUE(one.text() == two.text());
}

TEST_P(LayerTest, PartsOfAFrameHoldWhatTheWholeHolds) {
  auto plain_of = [&](auto&& add) {
    StringSink blob;
    LayerWriter layer(blob, *codec_, executor_);
    add(layer);
    const LayerInfo info = layer.Finish();
    MemorySource source(blob.text());
    std::string tar = ReadAll(*Decompressed(source));
    EXPECT_EQ(info.diff_id, specs::HashOf(tar));
    return tar;
  };
  const std::string& frame = frames_[0];
  const std::string whole = plain_of([&](LayerWriter& layer) {
    MemorySource source(frame);
    layer.AddFrame(source);
  });
  const std::uint64_t size = whole.size() - TarEnd().size();
  for (std::uint64_t cut : {std::uint64_t{0}, std::uint64_t{512}, size - 512, size}) {
    const std::string parts = plain_of([&](LayerWriter& layer) {
      MemorySource first(frame);
      layer.AddFramePart(first, 0, cut);
      MemorySource second(frame);
      layer.AddFramePart(second, cut, size);
    });
    EXPECT_TRUE(parts == whole) << cut;
    const std::string rest = plain_of([&](LayerWriter& layer) {
      MemorySource source(frame);
      layer.AddFramePart(source, cut, size);
    });
    EXPECT_TRUE(rest == whole.substr(cut)) << cut;
  }
}

TEST_P(LayerTest, APartBeyondTheFrameIsAnError) {
  StringSink blob;
  LayerWriter layer(blob, *codec_, executor_);
  MemorySource source(frames_[1]);
  EXPECT_THROW(layer.AddFramePart(source, 0, 1 << 20), specs::Error);
}

TEST_P(LayerTest, AnEmptyLayerIsAnEmptyTar) {
  StringSink blob;
  LayerInfo info = LayerWriter(blob, *codec_, executor_).Finish();
  EXPECT_EQ(info.diff_id, specs::HashOf(std::string(1024, '\0')));
  EXPECT_EQ(info.uncompressed_size, 1024u);
}

TEST_P(LayerTest, AFrameWithASkeletonIsTheLayerOfThatPackageAlone) {
  const std::vector<OwnerId> alone{0};
  const std::vector<TreeEntry> skeleton = Skeleton(tree_, alone);
  StringSink expected;
  LayerWriter layer(expected, *codec_, executor_);
  layer.AddSkeleton(skeleton);
  MemorySource bare(frames_[0]);
  layer.AddFrame(bare);
  const LayerInfo info = layer.Finish();

  StringSink framed;
  FrameWriter frame(framed, *codec_, executor_);
  frame.AddSkeleton(skeleton);
  for (const auto& [path, file] : packages_[0]) {
    if (file.node.type == NodeType::kFile) frame.Add(path, file.node, file.content);
    if (file.node.type == NodeType::kSymlink) frame.Add(path, file.node);
  }
  const FrameInfo made = frame.Finish();
  EXPECT_TRUE(framed.text() == expected.text());
  ASSERT_TRUE(made.layer);
  EXPECT_EQ(made.layer->layer, info);
  EXPECT_EQ(made.layer->skeleton, specs::HashOf(SkeletonTar(skeleton)));
  EXPECT_EQ(made.digest, info.digest);
  EXPECT_EQ(made.compressed_size, framed.text().size());
  EXPECT_EQ(made.tar_size, info.uncompressed_size - 1024 - SkeletonTar(skeleton).size());
  const std::size_t size = framed.text().size() - made.layer->before - made.layer->after;
  EXPECT_TRUE(framed.text().substr(made.layer->before, size) == frames_[0]);
}

TEST_P(LayerTest, ADamagedFrameIsAnErrorNeverALayer) {
  frames_[0].resize(frames_[0].size() - 1);
  NullSink null;
  EXPECT_THROW(WriteLayer(null, executor_), specs::Error);
  frames_[0] = frames_[1];
  frames_[0][frames_[0].size() - 2] ^= 1;
  EXPECT_THROW(WriteLayer(null, executor_), specs::Error);
}

TEST_P(LayerTest, AFullDiskAtAnyByteLeavesNothing) {
  support::TempFolder folder;
  StringSink whole;
  std::uint64_t size = WriteLayer(whole, executor_).size;
  for (std::uint64_t good = 0; good < size; good += size / 7 + 1) {
    AtomicFile file(folder.path());
    support::FaultySink faulty(file, good);
    EXPECT_THROW(WriteLayer(faulty, executor_), specs::Error);
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  AtomicFile file(folder.path());
  LayerInfo info = WriteLayer(file, executor_);
  file.Publish(folder.path() / info.digest.Hex());
  EXPECT_EQ(specs::HashOf(ReadFile(folder.path() / info.digest.Hex())), info.digest);
}

}  // namespace
}  // namespace imgbuild::layers
