// A compressed frame, piece by piece.
#pragma once

#include <optional>

#include "layers/io/buffer.h"
#include "layers/io/stream.h"
#include "layers/write/compress.h"

namespace imgbuild::layers {

// Splits what `source` gives into the pieces that a codec of `codec`'s kind wrote. Both borrowed.
class PieceReader {
 public:
  PieceReader(Source& source, const Codec& codec);
  // The next piece, nullopt at the end. Throws Error where the bytes are damaged or end inside a
  // piece.
  std::optional<Buffer> Next();

 private:
  bool ReadMore();

  Source& source_;
  const Codec& codec_;
  Buffer pending_;  // from the beginning of a piece
};

}  // namespace imgbuild::layers
