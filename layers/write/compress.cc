#include "layers/write/compress.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "layers/write/codecs.h"
#include "layers/write/pieces.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

constexpr std::size_t kFirstRead = 256 * 1024;

Buffer CopyOf(std::string_view bytes, std::size_t capacity) {
  Buffer copy(std::max(capacity, bytes.size()));
  copy.Append(bytes);
  return copy;
}

class FrameSource : public Source {
 public:
  FrameSource(Source& frame, const Codec& codec) : codec_(codec), pieces_(frame, codec) {}

  std::size_t Read(std::span<std::byte> buffer) override {
    if (buffer.empty()) return 0;
    while (given_ == plain_.size()) {
      std::optional<Buffer> piece = pieces_.Next();
      if (!piece) return 0;
      plain_ = codec_.Decompress(piece->view());
      given_ = 0;
    }
    auto rest = plain_.bytes().subspan(given_);
    std::size_t size = std::min(rest.size(), buffer.size());
    std::memcpy(buffer.data(), rest.data(), size);
    given_ += size;
    return size;
  }

 private:
  const Codec& codec_;
  PieceReader pieces_;
  Buffer plain_;
  std::size_t given_ = 0;
};

}  // namespace

PieceReader::PieceReader(Source& source, const Codec& codec)
    : source_(source), codec_(codec), pending_(kFirstRead) {}

std::optional<Buffer> PieceReader::Next() {
  for (;;) {
    if (pending_.size() > 0) {
      if (std::optional<std::size_t> length = codec_.PieceLength(pending_.view())) {
        Buffer rest = CopyOf(pending_.view().substr(*length), kFirstRead);
        pending_.Truncate(*length);
        return std::exchange(pending_, std::move(rest));
      }
    }
    if (ReadMore()) continue;
    if (pending_.size() == 0) return std::nullopt;
    throw specs::Error(fmt::format("a {} frame is damaged: it ends inside a piece",
                                   CompressionName(codec_.compression())));
  }
}

bool PieceReader::ReadMore() {
  if (pending_.room() == 0) {
    if (pending_.size() > kMaxCompressedPiece) {
      throw specs::Error("a compressed frame is damaged: a piece has no end");
    }
    pending_ = CopyOf(pending_.view(), pending_.size() * 2);
  }
  std::size_t size = source_.Read(pending_.Free());
  pending_.Fill(size);
  return size > 0;
}

std::string_view CompressionName(Compression compression) {
  switch (compression) {
    case Compression::kZstd:
      return "zstd";
    case Compression::kGzip:
      return "gzip";
  }
  return "";
}

std::optional<Compression> ParseCompression(std::string_view name) {
  if (name == "zstd") return Compression::kZstd;
  if (name == "gzip") return Compression::kGzip;
  return std::nullopt;
}

std::unique_ptr<const Codec> MakeCodec(Compression compression, int level) {
  switch (compression) {
    case Compression::kZstd:
      return MakeZstdCodec(level);
    case Compression::kGzip:
      return MakeGzipCodec(level);
  }
  throw specs::Error("no such compression");
}

std::unique_ptr<Source> DecompressFrame(Source& frame, const Codec& codec) {
  return std::make_unique<FrameSource>(frame, codec);
}

}  // namespace imgbuild::layers
