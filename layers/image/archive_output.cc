#include "layers/image/archive_output.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "layers/image/layout.h"
#include "layers/image/output_blob.h"
#include "layers/io/archive.h"
#include "layers/io/atomic_file.h"
#include "layers/io/file.h"
#include "layers/io/hashing.h"
#include "layers/tree/file_tree.h"
#include "layers/write/tar.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/document.h"
#include "specs/oci/foreign_config.h"
#include "specs/oci/json_document.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

fs::path Absolute(const fs::path& path) {
  std::error_code error;
  fs::path absolute = fs::absolute(path, error);
  if (error) throw FileError("find", path, error.value());
  return absolute;
}

class TarFile {
 public:
  TarFile(const fs::path& target, WriteMeter* meter)
      : target_(Absolute(target)), file_(target_.parent_path()), blobs_(file_, meter) {}

  void Add(std::string_view path, std::string_view content) {
    Head(path, content.size());
    file_.Write(content);
    Pad(content.size());
  }

  // REQUIRES: `content` gives exactly `size` bytes; anything else is an Error.
  void Add(std::string_view path, std::uint64_t size, Source& content) {
    Head(path, size);
    BoundedSource bounded(content, size, std::string(path));
    if (CopyAll(bounded, blobs_) != size) {
      throw specs::Error(fmt::format("{} is shorter than its manifest says", path));
    }
    Pad(size);
  }

  void Publish() {
    file_.Write(TarEnd());
    file_.Publish(target_);
  }

 private:
  void Head(std::string_view path, std::uint64_t size) {
    std::string header;
    AppendTarHeader(header, path, {.type = NodeType::kFile, .mtime = kFixedTime, .size = size});
    file_.Write(header);
  }

  void Pad(std::uint64_t size) { file_.Write(std::string(TarPadding(size), '\0')); }

  fs::path target_;
  AtomicFile file_;
  MeteredSink blobs_;
};

// While it is copied it is hashed: nobody will read the archive's blobs before they are used.
void AddBlob(TarFile& tar, const std::string& path, Store& store, const OutputBlob& blob) {
  if (blob.IsDocument()) {
    tar.Add(path, blob.bytes);
    return;
  }
  FileSource file(RequireFile(store, blob));
  HashingSource source(file);
  tar.Add(path, blob.descriptor.size, source);
  if (source.Finish() != blob.descriptor.digest) throw Damaged(store, blob);
}

struct PlainLayer {
  OutputBlob blob;
  specs::Sha256 diff_id;
  std::optional<std::uint64_t> plain_size;  // where it is known
};

// Reads the layer through; throws where it or what it holds is not what the image says.
std::uint64_t CopyPlain(Store& store, const PlainLayer& layer,
                        const std::function<std::uint64_t(Source&)>& copy) {
  FileSource file(RequireFile(store, layer.blob));
  HashingSource compressed(file);
  try {
    const std::unique_ptr<Source> decompressed = Decompressed(compressed);
    HashingSource plain(*decompressed);
    const std::uint64_t size = copy(plain);
    NullSink rest;
    CopyAll(compressed, rest);
    if (compressed.Finish() == layer.blob.descriptor.digest && plain.Finish() == layer.diff_id) {
      return size;
    }
  } catch (const specs::Error&) {
    // It may not be the blob's fault.
    if (!layer.blob.IsOf(store) || store.RecheckBlob(layer.blob.descriptor.digest)) throw;
  }
  throw Damaged(store, layer.blob);
}

// Its plain bytes under their diff id. Their number stands before them: where it is not known, they
// are counted first.
void AddPlainLayer(TarFile& tar, Store& store, const PlainLayer& layer) {
  const std::uint64_t size =
      layer.plain_size ? *layer.plain_size : CopyPlain(store, layer, [](Source& plain) {
        NullSink nowhere;
        return static_cast<std::uint64_t>(CopyAll(plain, nowhere));
      });
  CopyPlain(store, layer, [&](Source& plain) {
    tar.Add(layer.diff_id.Hex() + ".tar", size, plain);
    return size;
  });
}

// How many bytes of blobs WriteDocker will write; 0 where a layer's size is not known.
std::uint64_t SizeOf(const OutputBlob& config, const std::vector<PlainLayer>& layers) {
  std::uint64_t bytes = config.descriptor.size;
  std::set<specs::Sha256> counted;
  for (const PlainLayer& layer : layers) {
    if (!layer.plain_size) return 0;
    if (counted.insert(layer.diff_id).second) bytes += *layer.plain_size;
  }
  return bytes;
}

void WriteDocker(Store& store, const OutputBlob& config, const std::vector<PlainLayer>& layers,
                 const fs::path& file, const std::vector<std::string>& repo_tags,
                 WriteMeter* meter) {
  TarFile tar(file, meter);
  if (meter != nullptr) meter->Begin(SizeOf(config, layers));
  const std::string config_name = config.descriptor.digest.Hex() + ".json";
  std::vector<std::string> layer_names;
  for (const PlainLayer& layer : layers) layer_names.push_back(layer.diff_id.Hex() + ".tar");
  nlohmann::ordered_json manifest = nlohmann::ordered_json::array();
  manifest.push_back({{"Config", config_name}, {"RepoTags", repo_tags}, {"Layers", layer_names}});
  tar.Add("manifest.json", manifest.dump());
  AddBlob(tar, config_name, store, config);
  std::set<specs::Sha256> written;
  for (const PlainLayer& layer : layers) {
    if (written.insert(layer.diff_id).second) AddPlainLayer(tar, store, layer);
  }
  tar.Publish();
}

void WriteOci(Store& store, const std::vector<OutputBlob>& blobs, const fs::path& file,
              const std::vector<std::string>& tags, WriteMeter* meter) {
  specs::WithContext(fmt::format("while writing {}", file.string()), [&] {
    TarFile tar(file, meter);
    std::uint64_t bytes = 0;
    for (const OutputBlob& blob : blobs) bytes += blob.IsDocument() ? 0 : blob.descriptor.size;
    if (meter != nullptr) meter->Begin(bytes);
    tar.Add("oci-layout", kLayoutMarker);
    tar.Add("index.json", specs::RenderLayoutIndex(TaggedIndex({}, blobs.back().descriptor, tags)));
    for (const OutputBlob& blob : blobs) {
      AddBlob(tar, "blobs/sha256/" + blob.descriptor.digest.Hex(), store, blob);
    }
    tar.Publish();
  });
}

void RequireLayers(const PlatformImage& image) {
  const std::size_t layers = image.manifest.layers.size();
  if (image.config.diff_ids.size() == layers && image.plain_sizes.size() == layers) return;
  throw specs::Error("the image's manifest and configuration do not fit each other")
      .Found(fmt::format("{}, {}, {}", specs::Count(layers, "layer"),
                         specs::Count(image.config.diff_ids.size(), "diff id"),
                         specs::Count(image.plain_sizes.size(), "size")))
      .Expected("one diff id and size for each layer");
}

specs::Document OnlyManifest(const ImageSource& image) {
  std::optional<specs::Document> only;
  for (const SourceDocument& document : image.documents) {
    specs::Document parsed = specs::ParseDocument(document.bytes, document.descriptor.digest.Oci());
    if (parsed.kind == specs::DocumentKind::kIndex) continue;
    if (only) {
      throw specs::Error(specs::ErrorKind::kUsage,
                         "a docker-archive holds one platform, and this image has several")
          .Hint("choose one: --platform linux/amd64");
    }
    only = std::move(parsed);
  }
  if (only && only->config && specs::IsConfigType(only->config->descriptor.media_type)) {
    return *std::move(only);
  }
  throw specs::Error(
      "this is no image that a container could run: a docker-archive has no room "
      "for it")
      .Found(only && only->config ? only->config->descriptor.media_type.substr(0, 100)
                                  : "no configuration");
}

OutputBlob BlobOf(const ImageSource& image, const specs::Descriptor& descriptor) {
  const auto found = std::ranges::find_if(image.blobs, [&](const SourceBlob& blob) {
    return blob.descriptor.digest == descriptor.digest;
  });
  return {descriptor, found == image.blobs.end() ? fs::path("?") : found->path, ""};
}

}  // namespace

void WriteOciArchive(Store& store, const Image& image, const fs::path& file,
                     const std::vector<std::string>& tags, WriteMeter* meter) {
  WriteOci(store, OutputBlobs(image, store), file, tags, meter);
}

void WriteOciArchive(Store& store, const ImageSource& image, const fs::path& file,
                     const std::vector<std::string>& tags, WriteMeter* meter) {
  WriteOci(store, OutputBlobs(image), file, tags, meter);
}

void WriteDockerArchive(Store& store, const PlatformImage& image, const fs::path& file,
                        const std::vector<std::string>& repo_tags, WriteMeter* meter) {
  specs::WithContext(fmt::format("while writing {}", file.string()), [&] {
    RequireLayers(image);
    auto of_store = [&](const specs::Descriptor& blob) {
      return OutputBlob{blob, store.paths().Blob(blob.digest), ""};
    };
    std::vector<PlainLayer> layers;
    for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
      layers.push_back({of_store(image.manifest.layers[i]), image.config.diff_ids[i], {}});
      if (image.plain_sizes[i] != 0) layers[i].plain_size = image.plain_sizes[i];
    }
    WriteDocker(store, of_store(image.manifest.config), layers, file, repo_tags, meter);
  });
}

void WriteDockerArchive(Store& store, const ImageSource& image, const fs::path& file,
                        const std::vector<std::string>& repo_tags, WriteMeter* meter) {
  specs::WithContext(fmt::format("while writing {}", file.string()), [&] {
    const specs::Document manifest = OnlyManifest(image);
    const OutputBlob config = BlobOf(image, manifest.config->descriptor);
    const std::string text = ReadFile(RequireFile(store, config), specs::kMaxDocument);
    if (specs::HashOf(text) != config.descriptor.digest) throw Damaged(store, config);
    const std::vector<specs::Sha256> diff_ids =
        specs::ParseForeignConfig(text, config.descriptor.digest.Oci()).diff_ids;
    if (diff_ids.size() != manifest.layers.size()) {
      throw specs::Error("the image's manifest and configuration do not fit each other")
          .Found(fmt::format("{}, {}", specs::Count(manifest.layers.size(), "layer"),
                             specs::Count(diff_ids.size(), "diff id")))
          .Expected("one diff id for each layer");
    }
    std::vector<PlainLayer> layers;
    for (std::size_t i = 0; i < diff_ids.size(); ++i) {
      layers.push_back({BlobOf(image, manifest.layers[i].descriptor), diff_ids[i], {}});
      // What is plain already has the size that it has.
      if (layers[i].blob.descriptor.digest == diff_ids[i]) {
        layers[i].plain_size = layers[i].blob.descriptor.size;
      }
    }
    WriteDocker(store, config, layers, file, repo_tags, meter);
  });
}

}  // namespace imgbuild::layers
