#include "layers/write/compress.h"

#include <cstdlib>
#include <fstream>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "layers/io/archive.h"
#include "layers/io/file.h"
#include "layers/write/frame.h"
#include "specs/base/digest.h"
#include "specs/base/error.h"
#include "tests/support/faulty_stream.h"
#include "tests/support/temp_folder.h"

namespace imgbuild::layers {
namespace {

// Text that compresses about as code does, then the same again under other line numbers.
std::string Sample(std::size_t size) {
  std::mt19937 random(5);
  std::string block;
  while (block.size() < 256 * 1024) {
    const char* end = random() % 9 == 0 ? "\n" : " ";
    block += "word" + std::to_string(random() % 5000) + end;
  }
  std::string text;
  while (text.size() < size) text += std::to_string(text.size()) + block;
  text.resize(size);
  return text;
}

class CodecTest : public testing::TestWithParam<Compression> {
 protected:
  std::unique_ptr<const Codec> codec_ = MakeCodec(GetParam());

  // A frame of the codec that holds `plain`.
  std::string FrameOf(const std::string& plain) {
    std::string frame;
    for (std::size_t i = 0; i < plain.size(); i += codec_->piece_size()) {
      frame += codec_->Compress(std::string_view(plain).substr(i, codec_->piece_size())).view();
    }
    return frame;
  }
  std::string PlainOf(const std::string& frame, std::size_t step = 1 << 20) {
    MemorySource memory(frame);
    support::SlowSource slow(memory, step);
    return ReadAll(*DecompressFrame(slow, *codec_));
  }
};

INSTANTIATE_TEST_SUITE_P(All, CodecTest, testing::Values(Compression::kZstd, Compression::kGzip),
                         [](const auto& test) { return std::string(CompressionName(test.param)); });

TEST_P(CodecTest, RoundTripsEverySizeAroundThePieces) {
  std::size_t piece = codec_->piece_size();
  std::string text = Sample(2 * piece + 77);
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{512}, piece - 1, piece,
                           piece + 1, text.size()}) {
    EXPECT_TRUE(PlainOf(FrameOf(text.substr(0, size))) == text.substr(0, size)) << size;
  }
}

TEST_P(CodecTest, RoundTripsWhatCannotBeCompressed) {
  std::mt19937 random(3);
  std::string noise(3 << 20, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  std::string frame = FrameOf(noise);
  EXPECT_LT(frame.size(), noise.size() + noise.size() / 100);
  EXPECT_TRUE(PlainOf(frame, 10'000) == noise);
}

TEST_P(CodecTest, ForeignReadersTakeTheFrameAsOneStream) {
  std::string text = Sample(codec_->piece_size() + 100'000);
  support::TempFolder folder;
  std::ofstream(folder.path() / "f") << FrameOf(text);
  std::string program(CompressionName(GetParam()));
  std::string command = "cd '" + folder.path().string() + "' && command -v " + program +
                        " > /dev/null && " + program + " -t < f 2> /dev/null && " + program +
                        " -dc < f > plain";
  if (std::system(("command -v " + program + " > /dev/null").c_str()) != 0) {
    GTEST_SKIP() << program << " is not here";
  }
  EXPECT_EQ(std::system(command.c_str()), 0);
  EXPECT_TRUE(ReadFile(folder.path() / "plain") == text);
}

TEST_P(CodecTest, LibarchiveReadsTheFrame) {
  std::string text = Sample(codec_->piece_size() + 100'000);
  std::string frame = FrameOf(text);
  MemorySource source(frame);
  EXPECT_TRUE(ReadAll(*Decompressed(source)) == text);
}

TEST_P(CodecTest, EveryLevelRoundTripsAndHasItsOwnId) {
  std::string text = Sample(200'000);
  std::vector<std::string> ids;
  for (int level = 1; level <= 12; ++level) {
    auto codec = MakeCodec(GetParam(), level);
    Buffer piece = codec->Compress(text);
    EXPECT_EQ(codec->PieceLength(piece.view()), piece.size());
    EXPECT_TRUE(codec_->Decompress(piece.view()).view() == text);
    EXPECT_THAT(ids, testing::Not(testing::Contains(codec->id())));
    ids.push_back(codec->id());
  }
  EXPECT_THROW(MakeCodec(GetParam(), 99), specs::Error);
  EXPECT_THROW(MakeCodec(GetParam(), -1), specs::Error);
}

TEST_P(CodecTest, EveryCutIsIncompleteOrAnError) {
  std::string frame = FrameOf(Sample(20'000));
  for (std::size_t size = 1; size < frame.size(); ++size) {
    EXPECT_EQ(codec_->PieceLength(std::string_view(frame).substr(0, size)), std::nullopt) << size;
  }
  for (std::size_t size = 1; size < frame.size(); size += 97) {
    EXPECT_THROW(PlainOf(frame.substr(0, size)), specs::Error) << size;
  }
}

TEST_P(CodecTest, DamageIsNoticed) {
  std::string plain = Sample(50'000);
  std::string original = FrameOf(plain);
  std::mt19937 random(11);
  for (int round = 0; round < 500; ++round) {
    std::string frame = original;
    frame[random() % frame.size()] ^= static_cast<char>(1 << random() % 8);
    try {
      EXPECT_EQ(PlainOf(frame), plain);  // a bit that means nothing
    } catch (const specs::Error&) {
    }
  }
}

TEST_P(CodecTest, OtherBytesAreRefusedAtOnce) {
  std::string other = FrameOf("x");
  auto wrong =
      MakeCodec(GetParam() == Compression::kZstd ? Compression::kGzip : Compression::kZstd);
  EXPECT_THROW(wrong->PieceLength(other), specs::Error);
  EXPECT_THROW(codec_->PieceLength("<html>not found</html>"), specs::Error);
}

TEST_P(CodecTest, NamesAreInverses) {
  EXPECT_EQ(ParseCompression(CompressionName(GetParam())), GetParam());
  EXPECT_EQ(ParseCompression("xz"), std::nullopt);
}

TEST(ZstdCodec, AClaimedHugeSizeIsNotAllocated) {
  using namespace std::string_literals;
  auto codec = MakeCodec(Compression::kZstd);
  // Magic, descriptor (8-byte content size, single segment), size 2^56, one empty raw block.
  std::string bomb = "\x28\xb5\x2f\xfd\xe0"s + "\0\0\0\0\0\0\0\x01"s + "\x01\0\0"s;
  EXPECT_THROW(codec->PieceLength(bomb), specs::Error);
  EXPECT_THROW(codec->Decompress(bomb), specs::Error);
}

TEST(Codec, WhatHardlyCompressesGetsALighterLevel) {
  std::mt19937 random(7);
  std::string noise(2 << 20, '\0');
  for (char& c : noise) c = static_cast<char>(random() % 100 < 70 ? random() : 0);
  const auto compressed = [](std::string_view plain, int level) {
    return std::string(MakeCodec(Compression::kZstd, level)->Compress(plain).view());
  };
  EXPECT_EQ(compressed(noise, 0), compressed(noise, 2));
  const std::string text = Sample(2 << 20);
  EXPECT_LT(compressed(text, 0).size(), compressed(text, 2).size());
  // Too little to take samples of.
  const std::string short_noise = noise.substr(0, 1000);
  EXPECT_EQ(MakeCodec(Compression::kZstd)->Decompress(compressed(short_noise, 0)).view(),
            short_noise);
}

TEST(Codec, LightEffortIsALighterLevelWhereTheLevelIsTheDefault) {
  const std::string text = Sample(2 << 20);
  const auto compressed = [&](Compression compression, int level, Effort effort) {
    return std::string(MakeCodec(compression, level)->Compress(text, effort).view());
  };
  const std::string light = compressed(Compression::kZstd, 0, Effort::kLight);
  EXPECT_EQ(light, compressed(Compression::kZstd, 2, Effort::kNormal));
  EXPECT_NE(light, compressed(Compression::kZstd, 0, Effort::kNormal));
  EXPECT_EQ(MakeCodec(Compression::kZstd)->Decompress(light).view(), text);
  for (const auto& [compression, level] :
       {std::pair{Compression::kZstd, 5}, {Compression::kGzip, 0}}) {
    EXPECT_EQ(compressed(compression, level, Effort::kLight),
              compressed(compression, level, Effort::kNormal));
  }
}

// Golden digests: they change only together with the codec's id.
TEST(Codec, TheBytesArePinned) {
  std::string text = Sample(9 << 20);
  auto digest = [&text](Compression compression) {
    auto codec = MakeCodec(compression);
    std::string all;
    for (std::size_t i = 0; i < text.size(); i += codec->piece_size()) {
      all += codec->Compress(std::string_view(text).substr(i, codec->piece_size())).view();
    }
    return codec->id() + " " + specs::HashOf(all).Hex();
  };
  EXPECT_EQ(
      digest(Compression::kZstd),
      "zstd/1.5.4/3-2/w23/8MiB fea11d958f2a71a200c977296c7f6e9be68343a57d63f233b31b306426be469a");
  EXPECT_EQ(digest(Compression::kGzip),
            "gzip/libdeflate-1.14/6/4MiB "
            "27ba5b7c910772bb70217ab80a7652e775cc7a1bab9c098cb56b83d2cc190601");
}

}  // namespace
}  // namespace imgbuild::layers
