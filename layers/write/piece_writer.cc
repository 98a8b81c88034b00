#include "layers/write/piece_writer.h"

#include <algorithm>
#include <memory>

namespace imgbuild::layers {
namespace {

// Most packages are small: their one piece starts small and grows to the full size once.
constexpr std::size_t kSmallPiece = 256 * 1024;

}  // namespace

PieceWriter::PieceWriter(Sink& sink, const Codec& codec, Executor& executor, Effort effort)
    : sink_(sink), codec_(codec), effort_(effort), work_(executor), plain_(kSmallPiece) {}

void PieceWriter::Write(std::string_view plain) {
  while (!plain.empty()) {
    if (plain_.room() == 0) Grow();
    std::string_view front = plain.substr(0, plain_.room());
    plain_.Append(front);
    plain.remove_prefix(front.size());
    Filled(front.size());
  }
}

std::uint64_t PieceWriter::WriteFrom(Source& source, std::uint64_t limit) {
  std::uint64_t written = 0;
  while (written < limit) {
    if (plain_.room() == 0) Grow();
    auto room = plain_.Free();
    std::size_t size =
        source.Read(room.first(std::min<std::uint64_t>(room.size(), limit - written)));
    if (size == 0) break;
    plain_.Fill(size);
    written += size;
    Filled(size);
  }
  return written;
}

std::uint64_t PieceWriter::Cut() {
  if (plain_.size() > 0) StartPiece();
  while (work_.pending() > 0) TakePiece();
  return sink_.count();
}

FrameInfo PieceWriter::Finish() {
  const std::uint64_t size = Cut();
  return {.codec = codec_.id(),
          .tar_size = total_,
          .compressed_size = size,
          .digest = sink_.Finish(),
          .layer = {}};
}

void PieceWriter::Grow() {
  Buffer larger(codec_.piece_size());
  larger.Append(plain_.view());
  plain_ = std::move(larger);
}

void PieceWriter::Filled(std::size_t size) {
  total_ += size;
  if (plain_.size() == codec_.piece_size()) StartPiece();
}

void PieceWriter::StartPiece() {
  while (work_.full()) TakePiece();
  if (plain_hasher_) plain_hasher_->Update(plain_.bytes());
  auto piece = std::make_shared<Buffer>(std::move(plain_));
  plain_ = Buffer();
  work_.Start([this, piece] { return codec_.Compress(piece->view(), effort_); });
}

void PieceWriter::TakePiece() { sink_.Write(work_.Take().bytes()); }

}  // namespace imgbuild::layers
