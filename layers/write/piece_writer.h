// Plain bytes in, pieces of a frame out: cut at the codec's piece size, compressed anywhere,
// written in order.
#pragma once

#include <cstdint>
#include <optional>
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
  PieceWriter(Sink& sink, const Codec& codec, Executor& executor, Effort effort = Effort::kNormal);

  void Write(std::string_view plain);
  // At most `limit` bytes of `source`, fewer only where it ends; returns how many.
  std::uint64_t WriteFrom(Source& source, std::uint64_t limit);
  // Ends the piece and writes all there is. How many compressed bytes that makes so far.
  std::uint64_t Cut();
  std::uint64_t plain_size() const { return total_; }
  // Takes the digest of all plain bytes too. REQUIRES: nothing was written yet.
  void HashPlain() { plain_hasher_.emplace(); }
  // REQUIRES: HashPlain, and Cut since the last Write.
  specs::Sha256 PlainDigest() { return plain_hasher_->Finish(); }
  FrameInfo Finish();

 private:
  void Grow();
  void Filled(std::size_t size);
  void StartPiece();
  void TakePiece();

  HashingSink sink_;
  const Codec& codec_;
  const Effort effort_;
  OrderedWork<Buffer> work_;
  Buffer plain_;  // the piece being filled
  std::uint64_t total_ = 0;
  std::optional<specs::Sha256Hasher> plain_hasher_;
};

}  // namespace imgbuild::layers
