// Frames: one package's files as tar entries, compressed on their own. A layer is made of them by
// concatenation.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "layers/io/executor.h"
#include "layers/io/stream.h"
#include "layers/tree/node.h"
#include "layers/tree/tree_union.h"
#include "layers/write/compress.h"
#include "layers/write/layer.h"
#include "specs/base/digest.h"

namespace imgbuild::layers {

// A frame with a skeleton before it and an end behind it, which is a layer as it stands.
struct FramedLayer {
  specs::Sha256 skeleton;    // digest of SkeletonTar
  std::uint64_t before = 0;  // compressed bytes of the skeleton
  std::uint64_t after = 0;   // and of the end
  LayerInfo layer;           // as LayerWriter would make it of this skeleton and frame

  bool operator==(const FramedLayer&) const = default;
};

struct FrameInfo {
  std::string codec;                  // Codec::id()
  std::uint64_t tar_size = 0;         // plain bytes of the entries; a multiple of 512
  std::uint64_t compressed_size = 0;  // of all that was written
  specs::Sha256 digest;               // of the same
  std::optional<FramedLayer> layer;   // where AddSkeleton was called

  bool operator==(const FrameInfo&) const = default;
};

// Add*, then Finish once. Entries come in strictly increasing order of path (bytewise). Everything
// is borrowed for the writer's life. Holds a few pieces for each thread of the executor, whatever
// the package's size. After an Error the writer must only be destroyed; what the sink got then is
// worthless.
class FrameWriter {
 public:
  FrameWriter(Sink& sink, const Codec& codec, Executor& executor, Effort effort = Effort::kNormal);
  ~FrameWriter();
  FrameWriter(FrameWriter&&) noexcept;

  // Makes what is written a layer of this package alone: writes the directories now and an end at
  // Finish. REQUIRES: nothing was added yet.
  void AddSkeleton(std::span<const TreeEntry> directories);

  // An entry without content: empty file, symbolic link, or hard link (to a file that was added
  // before it: the first path in order is the file, the later ones are links). Directories belong
  // in skeletons only.
  void Add(std::string_view path, const Node& node);
  // A file. Throws unless the content is exactly node.size bytes long. node.digest is not checked:
  // it belongs to facts and is in no tar byte.
  void Add(std::string_view path, const Node& node, std::string_view content);
  void Add(std::string_view path, const Node& node, Source& content);

  // Writes what is left. A frame without entries is empty: no bytes.
  FrameInfo Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The tar bytes of a layer's directories, as Skeleton() of layers/tree gives them.
std::string SkeletonTar(std::span<const TreeEntry> directories);

// The same as a frame.
FrameInfo WriteSkeleton(std::span<const TreeEntry> directories, Sink& sink, const Codec& codec);

// The same tar bytes in another compression.
FrameInfo Transcode(Source& frame, const Codec& from, Sink& sink, const Codec& to,
                    Executor& executor);

}  // namespace imgbuild::layers
