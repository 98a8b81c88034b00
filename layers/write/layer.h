// Layers: frames, concatenated (OCI image-spec, layer.md). Nothing is compressed again; the bytes
// are decompressed once while passing, since the diff id is a hash of the plain tar.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "layers/io/executor.h"
#include "layers/io/stream.h"
#include "layers/tree/tree_union.h"
#include "layers/write/compress.h"
#include "layers/write/layer_info.h"

namespace imgbuild::layers {

// AddSkeleton once, AddFrame for each package in install order, then Finish once. Everything is
// borrowed for the writer's life. After an Error the writer must only be destroyed.
class LayerWriter {
 public:
  // Frames must come from `codec` or one of its kind.
  LayerWriter(Sink& sink, const Codec& codec, Executor& executor);
  ~LayerWriter();
  LayerWriter(LayerWriter&&) noexcept;

  void AddSkeleton(std::span<const TreeEntry> directories);
  // Copies the frame. Throws where it is damaged.
  void AddFrame(Source& frame);
  // Of the frame's plain bytes only those from `begin` to before `end`, for a package that is cut
  // into several layers: both between two entries. What no end lies in is copied, the rest is
  // compressed anew. Throws where the frame is damaged or shorter.
  void AddFramePart(Source& frame, std::uint64_t begin, std::uint64_t end);
  // Writes the end of the archive.
  LayerInfo Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace imgbuild::layers
