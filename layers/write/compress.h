// Compression of layers: zstd frames (RFC 8878) or gzip members (RFC 1952), each of a fixed number
// of tar bytes and independent of the others, so that pieces can be compressed in parallel and
// concatenated. The same bytes come out on every machine.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "layers/io/buffer.h"
#include "layers/io/stream.h"

namespace imgbuild::layers {

enum class Compression { kZstd, kGzip };

// "zstd", "gzip": as media types and --compression write it.
std::string_view CompressionName(Compression compression);
std::optional<Compression> ParseCompression(std::string_view name);

// How much time a frame's bytes are worth where the codec may choose: at a default level.
enum class Effort {
  kNormal,
  kLight,  // half as much again as fast for some percent of the size
};

// Stateless to its users and thread-safe.
class Codec {
 public:
  virtual ~Codec() = default;

  virtual Compression compression() const = 0;
  // Format, library version and all parameters that decide the bytes: "zstd/1.5.4/3/8MiB". Part of
  // the key of everything compressed.
  virtual const std::string& id() const = 0;
  // Plain bytes of each piece but the last.
  virtual std::size_t piece_size() const = 0;

  // One piece. REQUIRES: 0 < plain.size() <= piece_size().
  virtual Buffer Compress(std::string_view plain, Effort effort) const = 0;
  Buffer Compress(std::string_view plain) const { return Compress(plain, Effort::kNormal); }

  // How long the piece at the front of `bytes` is, nullopt while it is not whole there (or that
  // cannot be told yet). Throws Error where this is no piece that a Codec of this kind wrote, with
  // any parameters.
  virtual std::optional<std::size_t> PieceLength(std::string_view bytes) const = 0;

  // The plain bytes of exactly one piece, at most kMaxPiece. Throws Error where it is damaged.
  virtual Buffer Decompress(std::string_view piece) const = 0;
};

// Bounds of what PieceLength and Decompress accept: plain, and compressed.
inline constexpr std::size_t kMaxPiece = 64u << 20;
inline constexpr std::size_t kMaxCompressedPiece = kMaxPiece + (kMaxPiece >> 6);

// A level of 0 is the default, chosen by measurement (see zstd_codec.cc and gzip_codec.cc).
std::unique_ptr<const Codec> MakeCodec(Compression compression, int level = 0);

// The plain bytes of a frame that `codec` (or one of its kind) wrote; both borrowed. Foreign zstd
// and gzip go through Decompressed() of layers/io/archive.h.
std::unique_ptr<Source> DecompressFrame(Source& frame, const Codec& codec);

}  // namespace imgbuild::layers
