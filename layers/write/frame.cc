#include "layers/write/frame.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "layers/io/hashing.h"
#include "layers/tree/path.h"
#include "layers/write/piece_writer.h"
#include "layers/write/tar.h"
#include "specs/base/error.h"

namespace imgbuild::layers {

struct FrameWriter::State {
  State(Sink& sink, const Codec& codec, Executor& executor, Effort effort)
      : pieces(sink, codec, executor, effort) {}

  // Checks the order and writes the header.
  void Begin(std::string_view path, const Node& node) {
    if (!IsCanonicalPath(path) || !(last_path < path)) {
      throw specs::Error("files must be added to a frame in order of canonical paths")
          .Found(std::string(path))
          .Expected(fmt::format("a path after \"{}\"", last_path));
    }
    last_path = path;
    header.clear();
    AppendTarHeader(header, path, node);
    pieces.Write(header);
  }

  void End(const Node& node) {
    static constexpr std::array<char, kTarBlock> kZeros{};
    pieces.Write(std::string_view(kZeros.data(), TarPadding(node.size)));
  }

  PieceWriter pieces;
  std::optional<FramedLayer> layer;
  std::uint64_t skeleton_size = 0;  // plain
  std::string last_path;
  std::vector<std::string> files;  // what a hard link may name; sorted, as they come
  std::string header;
};

FrameWriter::FrameWriter(Sink& sink, const Codec& codec, Executor& executor, Effort effort)
    : state_(std::make_unique<State>(sink, codec, executor, effort)) {}
FrameWriter::~FrameWriter() = default;
FrameWriter::FrameWriter(FrameWriter&&) noexcept = default;

void FrameWriter::AddSkeleton(std::span<const TreeEntry> directories) {
  const std::string tar = SkeletonTar(directories);
  FramedLayer& layer = state_->layer.emplace();
  layer.skeleton = specs::HashOf(tar);
  state_->skeleton_size = tar.size();
  state_->pieces.HashPlain();
  state_->pieces.Write(tar);
  layer.before = state_->pieces.Cut();
}

void FrameWriter::Add(std::string_view path, const Node& node) {
  if (node.type == NodeType::kFile) return Add(path, node, std::string_view());
  if (node.type == NodeType::kDirectory) {
    throw specs::Error(fmt::format("a frame holds no directories, but {} is one", path));
  }
  if (node.type == NodeType::kHardlink && !std::ranges::binary_search(state_->files, node.target)) {
    throw specs::Error(
        fmt::format("{} is a hard link to {}, which is no file before it in the same "
                    "package",
                    path, node.target));
  }
  state_->Begin(path, node);
}

void FrameWriter::Add(std::string_view path, const Node& node, std::string_view content) {
  MemorySource source(content);
  Add(path, node, source);
}

void FrameWriter::Add(std::string_view path, const Node& node, Source& content) {
  if (node.type != NodeType::kFile) {
    throw specs::Error(fmt::format("only files have content, and {} is none", path));
  }
  state_->Begin(path, node);
  std::uint64_t size = state_->pieces.WriteFrom(content, node.size);
  std::byte beyond;
  if (size < node.size || content.Read(std::span(&beyond, 1)) > 0) {
    throw specs::Error(fmt::format("the content of {} has another size than its entry", path))
        .Found(size < node.size ? fmt::format("{} bytes", size) : "more bytes")
        .Expected(fmt::format("{} bytes", node.size));
  }
  state_->End(node);
  state_->files.emplace_back(path);
}

FrameInfo FrameWriter::Finish() {
  PieceWriter& pieces = state_->pieces;
  if (!state_->layer) return pieces.Finish();
  const std::uint64_t behind_entries = pieces.Cut();
  const std::uint64_t tar_size = pieces.plain_size() - state_->skeleton_size;
  pieces.Write(TarEnd());
  FramedLayer layer = *state_->layer;
  layer.after = pieces.Cut() - behind_entries;
  layer.layer.diff_id = pieces.PlainDigest();
  layer.layer.uncompressed_size = pieces.plain_size();
  FrameInfo info = pieces.Finish();
  layer.layer.digest = info.digest;
  layer.layer.size = info.compressed_size;
  info.tar_size = tar_size;
  info.layer = layer;
  return info;
}

std::string SkeletonTar(std::span<const TreeEntry> directories) {
  std::string tar;
  std::string_view last_path;
  for (const TreeEntry& entry : directories) {
    if (entry.node.type != NodeType::kDirectory || !(last_path < entry.path)) {
      throw specs::Error(
          fmt::format("a skeleton holds directories in order, but not {}", entry.path));
    }
    last_path = entry.path;
    AppendTarHeader(tar, entry.path, entry.node);
  }
  return tar;
}

FrameInfo WriteSkeleton(std::span<const TreeEntry> directories, Sink& sink, const Codec& codec) {
  InlineExecutor here;
  PieceWriter pieces(sink, codec, here);
  pieces.Write(SkeletonTar(directories));
  return pieces.Finish();
}

FrameInfo Transcode(Source& frame, const Codec& from, Sink& sink, const Codec& to,
                    Executor& executor) {
  std::unique_ptr<Source> plain = DecompressFrame(frame, from);
  PieceWriter pieces(sink, to, executor);
  pieces.WriteFrom(*plain, ~0ull);
  return pieces.Finish();
}

}  // namespace imgbuild::layers
