#include "layers/write/layer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "layers/io/buffer.h"
#include "layers/io/hashing.h"
#include "layers/io/ordered_work.h"
#include "layers/write/frame.h"
#include "layers/write/pieces.h"
#include "layers/write/tar.h"
#include "specs/base/error.h"

namespace imgbuild::layers {

// Pieces go to the sink as they come and, decompressed on the executor, into the diff id's hash in
// the same order: with a second thread, decompressing and hashing overlap.
struct LayerWriter::State {
  State(Sink& sink_in, const Codec& codec_in, Executor& executor)
      : sink(sink_in), codec(codec_in), plain(executor) {}

  void AddPiece(Buffer piece) {
    sink.Write(piece.bytes());
    while (plain.full()) HashPiece();
    auto shared = std::make_shared<Buffer>(std::move(piece));
    plain.Start([this, shared] { return codec.Decompress(shared->view()); });
  }

  void HashPiece() {
    Buffer bytes = plain.Take();
    uncompressed_size += bytes.size();
    diff_id.Update(bytes.bytes());
  }

  void AddPieces(Source& frame) {
    PieceReader pieces(frame, codec);
    while (std::optional<Buffer> piece = pieces.Next()) AddPiece(*std::move(piece));
  }

  void AddPart(Source& frame, std::uint64_t begin, std::uint64_t end) {
    PieceReader pieces(frame, codec);
    std::uint64_t at = 0;
    while (at < end) {
      std::optional<Buffer> piece = pieces.Next();
      if (!piece) {
        throw specs::Error("the frame is shorter than its package")
            .Found(fmt::format("{} bytes", at))
            .Expected(fmt::format("at least {} bytes", end));
      }
      const Buffer bytes = codec.Decompress(piece->view());
      const std::uint64_t next = at + bytes.size();
      const std::uint64_t from = std::max(at, begin);
      const std::uint64_t to = std::min(next, end);
      if (from == at && to == next) {
        AddPiece(*std::move(piece));
      } else if (from < to) {
        AddPiece(codec.Compress(bytes.view().substr(from - at, to - from)));
      }
      at = next;
    }
  }

  HashingSink sink;
  const Codec& codec;
  specs::Sha256Hasher diff_id;
  std::uint64_t uncompressed_size = 0;
  OrderedWork<Buffer> plain;
};

LayerWriter::LayerWriter(Sink& sink, const Codec& codec, Executor& executor)
    : state_(std::make_unique<State>(sink, codec, executor)) {}
LayerWriter::~LayerWriter() = default;
LayerWriter::LayerWriter(LayerWriter&&) noexcept = default;

void LayerWriter::AddSkeleton(std::span<const TreeEntry> directories) {
  StringSink frame;
  WriteSkeleton(directories, frame, state_->codec);
  MemorySource source(frame.text());
  AddFrame(source);
}

void LayerWriter::AddFrame(Source& frame) { state_->AddPieces(frame); }

void LayerWriter::AddFramePart(Source& frame, std::uint64_t begin, std::uint64_t end) {
  if (begin < end) state_->AddPart(frame, begin, end);
}

LayerInfo LayerWriter::Finish() {
  state_->AddPiece(state_->codec.Compress(TarEnd()));
  while (state_->plain.pending() > 0) state_->HashPiece();
  std::uint64_t size = state_->sink.count();
  return {state_->sink.Finish(), size, state_->diff_id.Finish(), state_->uncompressed_size};
}

}  // namespace imgbuild::layers
