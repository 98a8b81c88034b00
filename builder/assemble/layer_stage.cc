#include "builder/assemble/layer_stage.h"

#include <fmt/core.h>

#include "builder/assemble/recipe_annotations.h"
#include "builder/assemble/work_group.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "layers/write/frame.h"
#include "layers/write/layer.h"
#include "layers/write/tar.h"
#include "specs/base/error.h"
#include "specs/base/key.h"
#include "specs/base/text.h"
#include "specs/oci/media_types.h"

namespace imgbuild::builder {
namespace {

using layers::LayerInfo;
using layers::TreeEntry;

void AddNode(specs::KeyBuilder& key, std::string_view path, const layers::Node& node) {
  key.Add("path", path).Add("type", static_cast<std::uint64_t>(node.type));
  key.Add("mode", node.mode).Add("uid", node.uid).Add("gid", node.gid);
  key.Add("mtime", static_cast<std::uint64_t>(node.mtime));
  key.Add("target", node.target).Add("digest", node.digest);
}

specs::Sha256 LayerKey(const LayerContent& content, const std::vector<TreeEntry>& skeleton,
                       const layers::Codec& codec) {
  specs::KeyBuilder key(kLayerVersion);
  key.Add("tar", layers::kTarVersion).Add("codec", codec.id());
  for (const TreeEntry& entry : skeleton) AddNode(key, entry.path, entry.node);
  for (const PackagePart& part : content.packages) {
    key.Add("frame", part.package->frame.digest);
    if (!part.IsWhole()) key.Add("from", part.begin).Add("to", part.end);
  }
  if (content.files != nullptr) {
    for (const auto& [path, file] : *content.files) AddNode(key, path, file.node);
  }
  return key.Finish();
}

std::optional<LayerInfo> FindLayer(const layers::Store& store, const specs::Sha256& key) {
  const std::optional<std::string> text = store.FindAction(key);
  if (!text) return std::nullopt;
  const std::optional<LayerInfo> info = layers::ParseLayerInfo(*text);
  if (!info || !store.FindBlob(info->digest, info->size)) return std::nullopt;
  return info;
}

// A file of the user's, which may change while it is read; the layer's key has its digest.
void AddFromDisk(layers::FrameWriter& writer, const std::string& path,
                 const layers::ContentFile& file) {
  layers::FileSource disk(file.disk_path);
  layers::HashingSource source(disk);
  specs::WithContext(fmt::format("while reading {}", file.disk_path),
                     [&] { writer.Add(path, file.node, source); });
  if (source.Finish() != file.node.digest) {
    throw specs::Error(fmt::format("{} changed while the image was built", file.disk_path))
        .Hint("build again");
  }
}

// The user's files and generated state, written to `sink` as a frame.
layers::FrameInfo WriteFrame(const layers::ContentTree& files, layers::Sink& sink,
                             const layers::Codec& codec, layers::Executor& executor) {
  layers::FrameWriter writer(sink, codec, executor);
  for (const auto& [path, file] : files) {
    switch (file.node.type) {
      case layers::NodeType::kDirectory:
        break;  // in the skeleton
      case layers::NodeType::kFile:
        if (file.disk_path.empty()) {
          writer.Add(path, file.node, file.content);
        } else {
          AddFromDisk(writer, path, file);
        }
        break;
      case layers::NodeType::kSymlink:
      case layers::NodeType::kHardlink:
        writer.Add(path, file.node);
        break;
    }
  }
  return writer.Finish();
}

void AddPart(const PackagePart& part, layers::Store& store, layers::LayerWriter& writer) {
  if (part.package->frame_path.empty()) return;
  specs::WithContext(fmt::format("while adding {} to a layer", part.package->locked->name), [&] {
    const layers::FrameRecord& record = part.package->frame;
    // One that once was a layer as it stands is in outputs, too, and whoever they were given to may
    // have written to it, with the right checksums.
    if (record.before > 0 && !store.RecheckFrame(record.digest)) {
      throw specs::Error("its files in the cache were changed");
    }
    layers::FileSource frame(part.package->frame_path, record.before,
                             record.compressed_size - record.before - record.after);
    if (part.IsWhole()) {
      writer.AddFrame(frame);
    } else {
      writer.AddFramePart(frame, part.begin, part.end);
    }
  });
}

// Frames that only the shared cache has yet.
void FetchFrames(const LayerContent& content, const LayerTools& tools) {
  std::vector<layers::FrameRecord> missing;
  for (const PackagePart& part : content.packages) {
    const layers::FrameRecord& frame = part.package->frame;
    if (!tools.store.HasFrame(frame)) missing.push_back(frame);
  }
  if (missing.empty()) return;
  if (tools.shared != nullptr && tools.shared->FetchFrames(missing, tools.store)) return;
  throw specs::Error(fmt::format("files of {} in the layer {} are missing in the cache",
                                 specs::Count(missing.size(), "package"), content.name));
}

// Where a package's file is the layer as it stands, nothing has to be read or written again.
std::optional<LayerInfo> TakeFramedLayer(const LayerContent& content,
                                         const std::vector<TreeEntry>& skeleton,
                                         layers::Store& store) {
  if (content.files != nullptr || content.packages.size() != 1) return std::nullopt;
  const PackagePart& part = content.packages.front();
  const std::optional<layers::FramedLayer>& framed = part.package->layer;
  if (!framed || !part.IsWhole()) return std::nullopt;
  if (framed->skeleton != specs::HashOf(layers::SkeletonTar(skeleton))) return std::nullopt;
  if (!store.PutFrameAsBlob(framed->layer.digest)) return std::nullopt;
  return framed->layer;
}

LayerInfo MakeLayer(const LayerContent& content, const std::vector<TreeEntry>& skeleton,
                    const LayerTools& tools) {
  if (auto framed = TakeFramedLayer(content, skeleton, tools.store)) return *framed;
  FetchFrames(content, tools);
  const std::unique_ptr<layers::AtomicFile> file = tools.store.NewFile();
  layers::LayerWriter writer(*file, tools.codec, tools.executor);
  writer.AddSkeleton(skeleton);
  for (const PackagePart& part : content.packages) AddPart(part, tools.store, writer);
  if (content.files != nullptr) {
    // By way of the disk: the user's files may be larger than memory.
    const std::unique_ptr<layers::AtomicFile> own = tools.store.NewFile();
    if (WriteFrame(*content.files, *own, tools.codec, tools.executor).compressed_size > 0) {
      own->Flush();
      layers::FileSource frame(own->temporary());
      writer.AddFrame(frame);
    }
  }
  const LayerInfo info = writer.Finish();
  tools.store.PutBlob(info.digest, *file);
  return info;
}

// What a damaged frame in the cache spoils shows somewhere in its layer. It is removed, so that the
// next build makes the package anew.
[[noreturn]] void RethrowWithoutDamagedFrames(const LayerContent& content, layers::Store& store,
                                              specs::Error error) {
  bool damaged = false;
  for (const PackagePart& part : content.packages) {
    if (part.package->frame_path.empty() || store.RecheckFrame(part.package->frame.digest))
      continue;
    error.In(fmt::format("{} is damaged in the cache", part.package->locked->name));
    damaged = true;
  }
  if (damaged) throw std::move(error).Hint("build again: it is made anew");
  throw std::move(error);
}

std::string_view MediaType(const layers::Codec& codec) {
  return codec.compression() == layers::Compression::kZstd ? specs::kOciLayerZstd
                                                           : specs::kOciLayerGzip;
}

layers::ImageLayer Describe(const LayerContent& content, const specs::Sha256& key,
                            const LayerInfo& info, const layers::Codec& codec) {
  return {.descriptor = {.media_type = std::string(MediaType(codec)),
                         .digest = info.digest,
                         .size = info.size,
                         .platform = {},
                         .annotations = LayerAnnotations({key, info.uncompressed_size})},
          .diff_id = info.diff_id,
          .plain_size = info.uncompressed_size,
          .created_by = "imgbuild: " + content.name};
}

// Found here, promised by the shared cache, or made.
MadeLayer OneLayer(const LayerContent& content, const layers::FileTree& tree,
                   const LayerTools& tools, ProgressTask& task) {
  const std::vector<TreeEntry> skeleton = layers::Skeleton(tree, content.owners);
  const specs::Sha256 key = LayerKey(content, skeleton, tools.codec);
  const layers::EntryLock lock = tools.store.Lock("layer", key);
  MadeLayer layer{.layer = {}, .name = content.name};
  std::optional<LayerInfo> info = FindLayer(tools.store, key);
  if (!info && tools.shared != nullptr) {
    info = tools.shared->FindLayer(key);
    layer.shared = info.has_value();
  }
  if (!info) {
    task.SetDetail(content.name);
    const auto step = tools.progress.Step("Layers", content.name);
    try {
      info = MakeLayer(content, skeleton, tools);
    } catch (specs::Error& error) {
      RethrowWithoutDamagedFrames(content, tools.store, std::move(error));
    }
    layer.made = true;
  }
  if (layer.made || layer.shared) tools.store.PutAction(key, layers::RenderLayerInfo(*info) + "\n");
  layer.layer = Describe(content, key, *info, tools.codec);
  return layer;
}

}  // namespace

std::vector<MadeLayer> MakeLayers(const std::vector<LayerContent>& contents,
                                  const layers::FileTree& tree, const LayerTools& tools) {
  std::vector<MadeLayer> made(contents.size());
  auto task = tools.progress.Begin("Building layers", ProgressUnit::kItems);
  task->SetTotal(contents.size());
  {
    WorkGroup group(tools.executor);
    for (std::size_t i = 0; i < contents.size(); ++i) {
      group.Add([&, i] {
        made[i] = OneLayer(contents[i], tree, tools, *task);
        if (tools.listener) tools.listener(made[i].layer);
        task->Advance(1);
      });
    }
    group.Wait();
  }
  std::size_t cached = 0;
  for (const MadeLayer& layer : made) cached += layer.made ? 0 : 1;
  task->Finish(fmt::format("{}, {} cached", specs::Count(made.size(), "layer"), cached));
  return made;
}

std::optional<LayerInfo> FindMadeLayer(const LayerContent& content, const layers::FileTree& tree,
                                       const layers::Codec& codec, const layers::Store& store) {
  return FindLayer(store, LayerKey(content, layers::Skeleton(tree, content.owners), codec));
}

}  // namespace imgbuild::builder
