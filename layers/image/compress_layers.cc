#include "layers/image/compress_layers.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "layers/image/output_blob.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "layers/write/piece_writer.h"
#include "specs/base/key.h"
#include "specs/base/text.h"
#include "specs/oci/manifest.h"
#include "specs/oci/media_types.h"

namespace imgbuild::layers {
namespace {

using specs::Descriptor;

// Versions the way from plain bytes to a blob, beside the codec's id.
constexpr std::string_view kPlainLayerVersion = "plain-layer/1";

specs::Sha256 KeyOf(const Descriptor& plain, const Codec& codec) {
  specs::KeyBuilder key(kPlainLayerVersion);
  return key.Add("diff-id", plain.digest.Oci()).Add("codec", codec.id()).Finish();
}

// "DIGEST SIZE", of a blob that is there still.
std::optional<Descriptor> Remembered(const Store& store, const specs::Sha256& key) {
  const std::optional<std::string> text = store.FindAction(key);
  if (!text) return std::nullopt;
  const std::vector<std::string_view> words = specs::SplitWords(*text);
  if (words.size() != 2) return std::nullopt;
  const auto digest = specs::ParseDigest(words[0]);
  const auto size = specs::ParseUnsigned(words[1]);
  if (!digest || !size || !store.FindBlob(*digest, *size)) return std::nullopt;
  return Descriptor{
      .media_type = {}, .digest = *digest, .size = *size, .platform = {}, .annotations = {}};
}

Descriptor Compress(Store& store, const SourceBlob& plain, const Codec& codec, Executor& executor) {
  const specs::Sha256 key = KeyOf(plain.descriptor, codec);
  std::optional<Descriptor> blob = Remembered(store, key);
  if (!blob) {
    FileSource file(plain.path);
    HashingSource source(file);
    const std::unique_ptr<AtomicFile> target = store.NewFile();
    PieceWriter writer(*target, codec, executor);
    writer.WriteFrom(source, plain.descriptor.size + 1);
    const FrameInfo info = writer.Finish();
    if (source.Finish() != plain.descriptor.digest) {
      throw Damaged(store, {plain.descriptor, plain.path, ""});
    }
    store.PutBlob(info.digest, *target);
    blob = {.media_type = {},
            .digest = info.digest,
            .size = info.compressed_size,
            .platform = {},
            .annotations = {}};
    store.PutAction(key, info.digest.Oci() + " " + std::to_string(info.compressed_size));
  }
  blob->media_type =
      codec.compression() == Compression::kGzip ? specs::kOciLayerGzip : specs::kOciLayerZstd;
  blob->annotations = plain.descriptor.annotations;
  return *blob;
}

}  // namespace

ImageSource CompressLayers(Store& store, ImageSource image, const Codec& codec,
                           Executor& executor) {
  const SourceDocument& document = image.documents.back();
  if (image.documents.size() != 1 || document.descriptor.media_type != specs::kOciManifest ||
      std::ranges::none_of(image.blobs, [](const SourceBlob& blob) {
        return blob.descriptor.media_type == specs::kOciLayer;
      })) {
    return image;
  }
  specs::Manifest manifest = specs::ParseManifest(document.bytes, document.descriptor.digest.Oci());
  std::map<specs::Sha256, Descriptor> compressed;
  for (SourceBlob& blob : image.blobs) {
    if (blob.descriptor.media_type != specs::kOciLayer) continue;
    const Descriptor made = Compress(store, blob, codec, executor);
    compressed[blob.descriptor.digest] = made;
    blob = {made, store.paths().Blob(made.digest)};
  }
  for (Descriptor& layer : manifest.layers) {
    const auto made = compressed.find(layer.digest);
    if (made != compressed.end()) layer = made->second;
  }
  std::string bytes = specs::RenderManifest(manifest);
  const Descriptor root{.media_type = std::string(specs::kOciManifest),
                        .digest = specs::HashOf(bytes),
                        .size = bytes.size(),
                        .platform = {},
                        .annotations = {}};
  image.documents = {{root, std::move(bytes)}};
  return image;
}

}  // namespace imgbuild::layers
