#include "layers/image/image_source.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "layers/image/image_blobs.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/oci/json_document.h"
#include "specs/oci/layout_index.h"
#include "specs/oci/media_types.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using specs::Descriptor;
using specs::Error;

constexpr int kMostLevels = 8;  // of indexes in indexes

// What any descriptor has; the rest stays in the document that it stands in.
Descriptor ReadDescriptor(const json& entry) {
  Descriptor descriptor;
  descriptor.media_type = specs::TextAt(entry, "mediaType");
  const std::string digest = specs::TextAt(entry, "digest");
  const auto parsed = digest.starts_with("sha256:") ? specs::Sha256::Parse(digest) : std::nullopt;
  if (!parsed) throw Error(fmt::format("\"{}\" is no sha256 digest", digest));
  descriptor.digest = *parsed;
  descriptor.size = entry.at("size").get<std::uint64_t>();
  return descriptor;
}

// Follows a document to all that it needs. `find` says where a blob of that descriptor lies.
class Walk {
 public:
  explicit Walk(std::function<fs::path(const Descriptor&)> find) : find_(std::move(find)) {}

  void AddDocument(const Descriptor& descriptor, int level = 0) {
    if (!seen_.insert(descriptor.digest).second) return;
    if (level > kMostLevels) throw Error("the image's indexes lead to each other too deeply");
    std::string bytes = ReadFile(find_(descriptor), specs::kMaxDocument);
    if (specs::HashOf(bytes) != descriptor.digest) {
      throw Error(specs::ErrorKind::kVerification,
                  fmt::format("the document {} is damaged", descriptor.digest.Oci()))
          .Found(specs::HashOf(bytes).Oci())
          .Expected(descriptor.digest.Oci());
    }
    specs::Understand(descriptor.digest.Oci(), [&] {
      const json document = specs::ParseJsonDocument(bytes);
      for (const json& child : document.value("manifests", json::array())) {
        AddDocument(ReadDescriptor(child), level + 1);
      }
      if (document.contains("config")) AddBlob(ReadDescriptor(document.at("config")));
      for (const json& layer : document.value("layers", json::array())) {
        AddBlob(ReadDescriptor(layer));
      }
    });
    source_.documents.push_back({descriptor, std::move(bytes)});
  }

  ImageSource Take() { return std::move(source_); }

 private:
  void AddBlob(const Descriptor& descriptor) {
    if (seen_.insert(descriptor.digest).second) {
      source_.blobs.push_back({descriptor, find_(descriptor)});
    }
  }

  std::function<fs::path(const Descriptor&)> find_;
  std::set<specs::Sha256> seen_;
  ImageSource source_;
};

const specs::LayoutEntry& ChooseEntry(const specs::LayoutIndex& index, std::string_view name,
                                      const fs::path& layout) {
  std::vector<std::string> names;
  for (const specs::LayoutEntry& entry : index.entries) {
    if (entry.ref_name == name && !name.empty()) return entry;
    if (!entry.ref_name.empty()) names.push_back(entry.ref_name);
  }
  if (name.empty() && !index.entries.empty()) {
    // Several names of one image are no question.
    const specs::LayoutEntry& first = index.entries.front();
    if (std::ranges::all_of(index.entries, [&](const specs::LayoutEntry& entry) {
          return entry.digest == first.digest;
        })) {
      return first;
    }
    throw Error(specs::ErrorKind::kUsage, fmt::format("{} holds several images", layout.string()))
        .Found(fmt::format("{}", fmt::join(names, ", ")))
        .Hint(fmt::format("name one: oci:{}:{}", layout.string(),
                          names.empty() ? "TAG" : names.front()));
  }
  throw Error(specs::ErrorKind::kUsage,
              fmt::format("{} holds no image{}", layout.string(),
                          name.empty() ? "" : fmt::format(" named \"{}\"", name)))
      .Found(names.empty() ? "no names" : fmt::format("{}", fmt::join(names, ", ")));
}

fs::path BlobOf(const fs::path& layout, const Descriptor& descriptor) {
  fs::path path = layout / "blobs/sha256" / descriptor.digest.Hex();
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) {
    throw Error(fmt::format("{} lacks the blob {}", layout.string(), descriptor.digest.Oci()))
        .Found(error.message());
  }
  if (size != descriptor.size) {
    throw Error(
        specs::ErrorKind::kVerification,
        fmt::format("the blob {} of {} is damaged", descriptor.digest.Oci(), layout.string()))
        .Found(fmt::format("{} bytes", size))
        .Expected(fmt::format("{} bytes", descriptor.size));
  }
  return path;
}

}  // namespace

ImageSource SourceOf(const Image& image, const Store& store) {
  Walk walk([&](const Descriptor& descriptor) { return RequireBlob(store, descriptor); });
  walk.AddDocument(image.root);
  return walk.Take();
}

ImageSource OpenLayout(const fs::path& layout, std::string_view name) {
  std::error_code ignored;
  if (!fs::exists(layout / "index.json", ignored)) {
    throw Error(specs::ErrorKind::kUsage, fmt::format("{} is no OCI layout", layout.string()))
        .Found(fs::exists(layout, ignored) ? "no index.json in it" : "nothing there")
        .Hint("build the image first: imgbuild build");
  }
  specs::RequireLayoutMarker(ReadFile(layout / "oci-layout", specs::kMaxDocument),
                             (layout / "oci-layout").string());
  const std::string text = ReadFile(layout / "index.json", specs::kMaxDocument);
  const specs::LayoutIndex index = specs::ParseLayoutIndex(text, (layout / "index.json").string());
  const specs::LayoutEntry& entry = ChooseEntry(index, name, layout);
  return specs::WithContext("while reading " + layout.string(), [&] {
    Walk walk([&](const Descriptor& descriptor) { return BlobOf(layout, descriptor); });
    walk.AddDocument(specs::Understand(
        "index.json", [&] { return ReadDescriptor(specs::ParseJsonDocument(entry.json)); }));
    return walk.Take();
  });
}

}  // namespace imgbuild::layers
