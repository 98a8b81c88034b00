// Inflating, whatever sizes the data, its blocks, the windows and the reader's pieces have.
#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libdeflate.h>

#include "layers/unpack/zip_archive.h"
#include "specs/base/error.h"
#include "tests/support/make_wheel.h"

namespace imgbuild::layers {
namespace {

using support::MakeZip;
using support::WheelMember;
using testing::HasSubstr;

// Blocks as each level makes them: 0 stored, 1 fixed and dynamic, 12 dynamic ones.
std::string Deflate(const std::string& plain, int level) {
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(level);
  std::string packed(libdeflate_deflate_compress_bound(compressor, plain.size()), '\0');
  packed.resize(libdeflate_deflate_compress(compressor, plain.data(), plain.size(), packed.data(),
                                            packed.size()));
  libdeflate_free_compressor(compressor);
  return packed;
}

WheelMember Member(const std::string& plain, int level) {
  WheelMember member{"a", plain};
  member.method = 8;
  member.raw = Deflate(plain, level);
  return member;
}

std::string ReadInPieces(const std::string& zip, std::size_t piece) {
  const ZipArchive archive(zip);
  ZipReader reader;
  Source& source = reader.Open(archive.members()[0]);
  std::string text;
  std::vector<std::byte> buffer(piece);
  while (const std::size_t size = source.Read(buffer)) {
    text.append(reinterpret_cast<const char*>(buffer.data()), size);
  }
  return text;
}

// Alternating stretches of noise and of text that refers far back.
std::string Mixed(std::size_t size) {
  std::mt19937 random(static_cast<std::mt19937::result_type>(size));
  std::string text;
  while (text.size() < size) {
    const std::size_t length = 1 + random() % 70'000;
    if (random() % 2 == 0 || text.size() < 40'000) {
      for (std::size_t i = 0; i < length; ++i) text += static_cast<char>(random());
    } else {
      const std::size_t back = 1 + random() % 32'768;
      for (std::size_t i = 0; i < length; ++i) text += text[text.size() - back];
    }
  }
  text.resize(size);
  return text;
}

TEST(ZipReader, InflatesEveryKindOfBlockInPiecesOfAnySize) {
  for (std::size_t size : {1u, 2u, 1'000u, 32'768u, 65'535u, 65'536u, 300'001u}) {
    for (const std::string& plain : {std::string(size, 'x'), Mixed(size)}) {
      for (int level : {0, 1, 12}) {
        const std::string zip = MakeZip({Member(plain, level)});
        for (std::size_t piece : {1u, 7u, 4'096u, 32'769u, 1'000'000u}) {
          if (piece < 7 && size > 70'000) continue;
          EXPECT_TRUE(ReadInPieces(zip, piece) == plain)
              << size << " bytes, level " << level << ", pieces of " << piece;
        }
      }
    }
  }
}

TEST(ZipReader, InflatesAcrossItsWindows) {
  for (std::size_t size : {(4u << 20) - 1, (4u << 20) + 1, 13u << 20}) {
    const std::string plain = Mixed(size);
    for (int level : {0, 1, 6}) {
      const std::string zip = MakeZip({Member(plain, level)});
      EXPECT_TRUE(ReadInPieces(zip, 100'003) == plain) << size << " bytes, level " << level;
      EXPECT_TRUE(ReadInPieces(zip, 8u << 20) == plain) << size << " bytes, level " << level;
    }
  }
}

TEST(ZipReader, OneMemberAfterTheOtherWhateverCameBefore) {
  const std::string one = Mixed(100'000), two = Mixed(200'000);
  WheelMember first = Member(one, 6), second = Member(two, 6);
  second.name = "b";
  WheelMember damaged = Member(one, 6);
  damaged.name = "c";
  damaged.raw.resize(damaged.raw.size() / 2);
  const std::string zip = MakeZip({first, second, damaged});
  const ZipArchive archive(zip);
  ZipReader reader;
  std::byte some[100];
  EXPECT_EQ(reader.Open(*archive.Find("a")).Read(some), 100u);  // and left there
  EXPECT_TRUE(reader.ReadText(*archive.Find("b"), 1 << 20) == two);
  EXPECT_THROW(reader.ReadText(*archive.Find("c"), 1 << 20), specs::Error);
  EXPECT_TRUE(reader.ReadText(*archive.Find("a"), 1 << 20) == one);
}

TEST(ZipReader, AnyNumberOfBytesBehindTheEndIsRefused) {
  const std::string plain = Mixed(50'000);
  for (int level : {0, 1, 12}) {
    for (std::size_t more : {1u, 7u, 8u, 9u, 5'000'000u}) {
      WheelMember member = Member(plain, level);
      member.raw.append(more, '\0');
      try {
        ReadInPieces(MakeZip({member}), 8'192);
        ADD_FAILURE() << more << " bytes more, level " << level;
      } catch (const specs::Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("bytes follow its end"));
      }
    }
  }
}

TEST(ZipReader, EveryCutIsRefused) {
  const std::string plain = Mixed(3'000);
  for (int level : {0, 1, 12}) {
    const WheelMember whole = Member(plain, level);
    for (std::size_t size = 0; size < whole.raw.size(); ++size) {
      WheelMember member = whole;
      member.raw.resize(size);
      EXPECT_THROW(ReadInPieces(MakeZip({member}), 1'000), specs::Error) << size;
    }
  }
}

// No byte of a damaged stream may be read as it was meant, but for those of the unused bits of its
// last byte.
TEST(ZipReader, EveryChangedBitIsRefusedOrHarmless) {
  const std::string plain = "some text, some more text, and some other text\n";
  const WheelMember whole = Member(plain, 12);
  for (std::size_t bit = 0; bit < whole.raw.size() * 8; ++bit) {
    WheelMember member = whole;
    member.raw[bit / 8] = static_cast<char>(member.raw[bit / 8] ^ 1 << bit % 8);
    try {
      EXPECT_EQ(ReadInPieces(MakeZip({member}), 16), plain);
      EXPECT_EQ(bit / 8, whole.raw.size() - 1) << bit;
    } catch (const specs::Error&) {
    }
  }
}

}  // namespace
}  // namespace imgbuild::layers
