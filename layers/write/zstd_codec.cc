// zstd (RFC 8878). Everything that decides the bytes is set here and stands in the id: level,
// window, piece size, and the match finder, which the library would otherwise choose by the CPU's
// vector units. Workers are off: each piece is one frame made by one thread.
//
// The defaults come from 342 MB of site-packages with .pyc (numpy, pandas, scipy, fastapi), one
// busy core; ratio and MB/s:
//
//   level 3, 4 MiB pieces, default window    0.2723  190     level 1, 8 MiB    0.305  230
//   level 3, 8 MiB pieces, 8 MiB window      0.2688  210     level 4, 8 MiB    0.2613 150
//   the same with long distance matching     0.2650  172     level 5, 8 MiB    0.2536 104
//   level 3, 16 MiB pieces, 8 MiB window     0.2679  189     one stream, -3    0.2690
//
// Pieces of 8 MiB cost nothing against one stream, and a window of the whole piece pays for the
// cuts; longer pieces only take memory. Long distance matching would cost a fifth of the speed for
// 1.4 %, which the next level gives more cheaply.
//
// What hardly compresses, such as GPU code that already is, is not worth the default level: of
// NVIDIA's libraries (1 GB) level 3 takes 3.9 s for a ratio of 0.487, level 2 2.6 s for 0.498. So a
// piece of which samples compress badly gets level 2. The samples cost 1.3 %; of a Python tree with
// its shared libraries a tenth of the bytes are such, and the whole grows by half a percent. Of the
// ten NVIDIA wheels above 40 MB (3.0 GB) level 2 for everything takes 0.7 s less and 0.5 % more
// than that; such frames ask for it (Effort::kLight).
#define ZSTD_STATIC_LINKING_ONLY
#include <fmt/format.h>
#include <zstd.h>

#include "layers/write/codecs.h"
#include "layers/write/context_pool.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
namespace {

constexpr int kDefaultZstdLevel = 3;
constexpr int kLightLevel = 2;
constexpr int kSampleLevel = 1;
constexpr int kSampleWindowLog = 17;
constexpr std::size_t kSample = 32u << 10;
constexpr std::size_t kSamples = 4;
constexpr std::size_t kLeastSampled = 1u << 20;  // of a piece
constexpr std::size_t kZstdPiece = 8u << 20;
constexpr int kWindowLog = 23;  // 8 MiB: what RFC 8878 asks every decoder to support
constexpr int kMaxWindowLog = 27;

struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
using ZstdCompressor = std::unique_ptr<ZSTD_CCtx, FreeZstd>;
using ZstdDecompressor = std::unique_ptr<ZSTD_DCtx, FreeZstd>;

specs::Error DamagedZstd(std::string_view reason) {
  return specs::Error(fmt::format("a zstd frame is damaged: {}", reason));
}

std::size_t Checked(std::size_t result) {
  if (ZSTD_isError(result)) throw DamagedZstd(ZSTD_getErrorName(result));
  return result;
}

class ZstdCodec : public Codec {
 public:
  explicit ZstdCodec(int level)
      : level_(level),
        adapts_(level == kDefaultZstdLevel),
        id_(fmt::format("zstd/{}/{}{}/w{}/{}MiB", ZSTD_versionString(), level_,
                        adapts_ ? fmt::format("-{}", kLightLevel) : "", kWindowLog,
                        kZstdPiece >> 20)) {}

  Compression compression() const override { return Compression::kZstd; }
  const std::string& id() const override { return id_; }
  std::size_t piece_size() const override { return kZstdPiece; }

  Buffer Compress(std::string_view plain, Effort effort) const override {
    if (adapts_ && (effort == Effort::kLight || CompressesBadly(plain))) {
      return light_compressors_.With([] { return NewCompressor(kLightLevel, kWindowLog); },
                                     [&](ZSTD_CCtx& context) { return Compress(plain, context); });
    }
    return compressors_.With([this] { return NewCompressor(level_, kWindowLog); },
                             [&](ZSTD_CCtx& context) { return Compress(plain, context); });
  }

  // Walks over the block headers (RFC 8878, 3.1.1.2), which say how long each block is.
  std::optional<std::size_t> PieceLength(std::string_view bytes) const override {
    ZSTD_frameHeader header;
    std::size_t missing = ZSTD_getFrameHeader(&header, bytes.data(), bytes.size());
    if (Checked(missing) > 0) return std::nullopt;
    CheckHeader(header);
    std::size_t position = header.headerSize;
    for (bool last = false; !last;) {
      if (bytes.size() < position + 3) return std::nullopt;
      auto byte = [&](std::size_t i) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[position + i]));
      };
      std::uint32_t block = byte(0) | byte(1) << 8 | byte(2) << 16;
      last = (block & 1) != 0;
      std::uint32_t type = block >> 1 & 3;
      if (type == 3) throw DamagedZstd("a block of a reserved type");
      position += 3 + (type == 1 ? 1 : block >> 3);
      if (position > kMaxCompressedPiece) throw DamagedZstd("it is too long");
    }
    position += header.checksumFlag != 0 ? 4 : 0;
    if (bytes.size() < position) return std::nullopt;
    return position;
  }

  Buffer Decompress(std::string_view piece) const override {
    ZSTD_frameHeader header;
    if (Checked(ZSTD_getFrameHeader(&header, piece.data(), piece.size())) > 0) {
      throw DamagedZstd("it ends too early");
    }
    CheckHeader(header);
    return decompressors_.With(
        [] { return NewDecompressor(); },
        [&](ZSTD_DCtx& context) {
          Buffer plain(header.frameContentSize);
          auto room = plain.Free();
          plain.Fill(Checked(
              ZSTD_decompressDCtx(&context, room.data(), room.size(), piece.data(), piece.size())));
          return plain;
        });
  }

 private:
  static void CheckHeader(const ZSTD_frameHeader& header) {
    if (header.frameType != ZSTD_frame) throw DamagedZstd("a skippable frame");
    if (header.frameContentSize > kMaxPiece) throw DamagedZstd("no or too large a content size");
    if (header.windowSize > 1ull << kMaxWindowLog) throw DamagedZstd("too large a window");
  }

  static Buffer Compress(std::string_view plain, ZSTD_CCtx& context) {
    Buffer piece(ZSTD_compressBound(plain.size()));
    auto room = piece.Free();
    piece.Fill(
        Checked(ZSTD_compress2(&context, room.data(), room.size(), plain.data(), plain.size())));
    return piece;
  }

  // Samples of it, at places that its size alone decides, keep more than 45 % of their size.
  bool CompressesBadly(std::string_view plain) const {
    if (plain.size() < kLeastSampled) return false;
    return samplers_.With([] { return NewCompressor(kSampleLevel, kSampleWindowLog); },
                          [&](ZSTD_CCtx& context) {
                            std::size_t size = 0;
                            const std::size_t step = (plain.size() - kSample) / (kSamples - 1);
                            for (std::size_t i = 0; i < kSamples; ++i) {
                              size +=
                                  Compress(plain.substr(i * step, kSample), context).view().size();
                            }
                            return size * 100 > kSamples * kSample * 45;
                          });
  }

  static ZstdCompressor NewCompressor(int level, int window_log) {
    ZstdCompressor context(ZSTD_createCCtx());
    if (!context) throw std::bad_alloc();
    auto set = [&context](ZSTD_cParameter parameter, int value) {
      Checked(ZSTD_CCtx_setParameter(context.get(), parameter, value));
    };
    set(ZSTD_c_compressionLevel, level);
    set(ZSTD_c_windowLog, window_log);
    set(ZSTD_c_useRowMatchFinder, ZSTD_ps_enable);
    set(ZSTD_c_enableLongDistanceMatching, ZSTD_ps_disable);
    set(ZSTD_c_checksumFlag, 1);
    set(ZSTD_c_contentSizeFlag, 1);
    return context;
  }

  static ZstdDecompressor NewDecompressor() {
    ZstdDecompressor context(ZSTD_createDCtx());
    if (!context) throw std::bad_alloc();
    return context;
  }

  const int level_;
  const bool adapts_;
  const std::string id_;
  mutable ContextPool<ZstdCompressor> compressors_;
  mutable ContextPool<ZstdCompressor> light_compressors_;
  mutable ContextPool<ZstdCompressor> samplers_;
  mutable ContextPool<ZstdDecompressor> decompressors_;
};

}  // namespace

std::unique_ptr<const Codec> MakeZstdCodec(int level) {
  level = level == 0 ? kDefaultZstdLevel : level;
  if (level < 1 || level > 19) {
    throw specs::Error(specs::ErrorKind::kUsage, "zstd has no such level")
        .Found(std::to_string(level))
        .Expected("1 to 19");
  }
  return std::make_unique<ZstdCodec>(level);
}

}  // namespace imgbuild::layers
