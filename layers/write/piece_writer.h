// Plain bytes in, pieces of a frame out: cut at the codec's piece size, compressed anywhere,
// written in order.
#pragma once

#include <cstdint>
#include <string_view>

#include "layers/io/buffer.h"
#include "layers/io/executor.h"
#include "layers/io/hashing.h"
#include "layers/io/ordered_work.h"
#include "layers/write/compress.h"
#include "layers/write/frame.h"

namespace imgbuild::layers {

// Write*, then Finish once. Borrows all three.
class PieceWriter {
 public:
  PieceWriter(Sink& sink, const Codec& codec, Executor& executor);

  void Write(std::string_view plain);
  // At most `limit` bytes of `source`, fewer only where it ends; returns how many.
  std::uint64_t WriteFrom(Source& source, std::uint64_t limit);
  FrameInfo Finish();

 private:
  void Grow();
  void Filled(std::size_t size);
  void StartPiece();
  void TakePiece();

  HashingSink sink_;
  const Codec& codec_;
  OrderedWork<Buffer> work_;
  Buffer plain_;  // the piece being filled
  std::uint64_t total_ = 0;
};

}  // namespace imgbuild::layers
