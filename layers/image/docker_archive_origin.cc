#include "layers/image/docker_archive_origin.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "layers/image/take_blob.h"
#include "layers/io/hashing.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/foreign_config.h"
#include "specs/oci/json_document.h"
#include "specs/oci/manifest.h"
#include "specs/oci/media_types.h"

namespace imgbuild::layers {
namespace {

using specs::Descriptor;
using specs::Error;
using specs::ErrorKind;

// What a layer's first bytes say: plain, gzip or zstd.
std::string_view LayerType(std::string_view front) {
  using namespace std::string_view_literals;
  if (front.starts_with("\x1f\x8b"sv)) return specs::kOciLayerGzip;
  if (front.starts_with("\x28\xb5\x2f\xfd"sv)) return specs::kOciLayerZstd;
  return specs::kOciLayer;
}

bool Matches(std::string_view full, std::string_view wanted) {
  auto matches = [full](const std::string& name) {
    return full == name || full.ends_with("/" + name);
  };
  return matches(std::string(wanted)) || matches(std::string(wanted) + ":latest");
}

std::vector<std::string> TextsAt(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return {};
  return found->get<std::vector<std::string>>();
}

}  // namespace

DockerArchiveOrigin::DockerArchiveOrigin(Store& store, const std::filesystem::path& file,
                                         std::string_view name)
    : store_(store), members_(file) {
  specs::WithContext("while reading " + file.string(), [&] { MakeManifest(Choose(name)); });
}

std::vector<DockerArchiveOrigin::Entry> DockerArchiveOrigin::ReadEntries() const {
  const std::string file = members_.file().string();
  if (!members_.Has("manifest.json")) {
    throw Error(ErrorKind::kUsage, fmt::format("{} is no docker-archive", file))
        .Found("no manifest.json in it")
        .Hint(members_.Has("index.json")
                  ? fmt::format("it may be an oci-archive: oci-archive:{}", file)
                  : "");
  }
  const std::string text = members_.ReadText("manifest.json");
  return specs::Understand("manifest.json", [&] {
    const nlohmann::json list = specs::ParseJsonDocument(text);
    if (!list.is_array()) throw Error("the document is no array");
    std::vector<Entry> entries;
    for (const nlohmann::json& item : list) {
      entries.push_back({item.at("Config").get<std::string>(), TextsAt(item, "RepoTags"),
                         TextsAt(item, "Layers")});
    }
    return entries;
  });
}

DockerArchiveOrigin::Entry DockerArchiveOrigin::Choose(std::string_view name) const {
  const std::vector<Entry> entries = ReadEntries();
  const std::string place = "docker-archive:" + members_.file().string();
  if (name.empty() && entries.size() == 1) return entries.front();
  std::vector<std::string> names;
  for (const Entry& entry : entries) {
    for (const std::string& full : entry.names) {
      if (full == name) return entry;
      names.push_back(full.substr(0, 200));
    }
  }
  for (const Entry& entry : entries) {
    if (name.empty()) break;
    if (std::ranges::any_of(entry.names,
                            [&](const std::string& full) { return Matches(full, name); })) {
      return entry;
    }
  }
  throw Error(ErrorKind::kUsage,
              name.empty() && !entries.empty()
                  ? fmt::format("{} holds several images", place)
                  : fmt::format("{} holds no image{}", place,
                                name.empty() ? "" : fmt::format(" named \"{}\"", name)))
      .Found(names.empty() ? "no names" : fmt::format("{}", fmt::join(names, ", ")))
      .Hint(names.empty() ? "" : fmt::format("name one: {}:{}", place, names.front()));
}

std::map<std::string, specs::Sha256> DockerArchiveOrigin::HashCompressed(const Entry& entry) const {
  std::set<std::string> names;
  for (const std::string& layer : entry.layers) {
    const std::string member = members_.Resolve(layer);
    if (LayerType(members_.At(member).front) != specs::kOciLayer) names.insert(member);
  }
  std::map<std::string, specs::Sha256> digests;
  members_.Read(std::move(names), [&](const std::string& name, Source& content) {
    HashingSource source(content);
    NullSink nowhere;
    CopyAll(source, nowhere);
    digests[name] = source.Finish();
  });
  return digests;
}

void DockerArchiveOrigin::MakeManifest(const Entry& entry) {
  name_ = entry.names.empty() ? "" : entry.names.front();
  config_ = members_.ReadText(entry.config);
  const std::vector<specs::Sha256> diff_ids =
      specs::ParseForeignConfig(config_, entry.config.substr(0, 100)).diff_ids;
  if (diff_ids.size() != entry.layers.size()) {
    throw Error("manifest.json and the image's configuration do not fit each other")
        .Found(fmt::format("{}, {}", specs::Count(entry.layers.size(), "layer"),
                           specs::Count(diff_ids.size(), "diff id")))
        .Expected("one diff id for each layer");
  }
  const std::map<std::string, specs::Sha256> digests = HashCompressed(entry);
  specs::Manifest manifest;
  manifest.config = {.media_type = std::string(specs::kOciConfig),
                     .digest = specs::HashOf(config_),
                     .size = config_.size(),
                     .platform = {},
                     .annotations = {}};
  for (std::size_t i = 0; i < diff_ids.size(); ++i) {
    const std::string member = members_.Resolve(entry.layers[i]);
    const auto compressed = digests.find(member);
    // Of a plain one the configuration tells the digest; Files proves it.
    const specs::Sha256 digest = compressed == digests.end() ? diff_ids[i] : compressed->second;
    manifest.layers.push_back({.media_type = std::string(LayerType(members_.At(member).front)),
                               .digest = digest,
                               .size = members_.At(member).size,
                               .platform = {},
                               .annotations = {}});
    const auto [layer, added] = layers_.try_emplace(digest, Layer{member, diff_ids[i]});
    if (!added && layer->second.diff_id != diff_ids[i]) {
      throw Error(ErrorKind::kVerification, "one layer of the archive has two diff ids");
    }
  }
  manifest_ = specs::RenderManifest(manifest);
  root_ = {.media_type = std::string(specs::kOciManifest),
           .digest = specs::HashOf(manifest_),
           .size = manifest_.size(),
           .platform = {},
           .annotations = {}};
}

std::string DockerArchiveOrigin::ReadDocument(const Descriptor&) { return manifest_; }

std::string DockerArchiveOrigin::ReadConfig(const Descriptor&) { return config_; }

std::vector<SourceBlob> DockerArchiveOrigin::Files(const std::vector<Descriptor>& blobs) {
  return specs::WithContext("while reading " + members_.file().string(), [&] {
    std::map<std::string, const Descriptor*> wanted;
    std::set<std::string> names;
    for (const Descriptor& blob : blobs) {
      if (store_.FindBlob(blob.digest, blob.size)) continue;
      const auto layer = layers_.find(blob.digest);
      if (layer == layers_.end()) {
        MemorySource config(config_);
        TakeBlob(store_, blob, config);
      } else if (names.insert(layer->second.member).second) {
        wanted[layer->second.member] = &blob;
      } else {
        throw Error(ErrorKind::kVerification, "one layer of the archive has two diff ids");
      }
    }
    members_.Read(std::move(names), [&](const std::string& name, Source& content) {
      const Descriptor& blob = *wanted.at(name);
      TakeBlob(store_, blob, content, layers_.at(blob.digest).diff_id);
    });
    std::vector<SourceBlob> files;
    for (const Descriptor& blob : blobs) {
      files.push_back({blob, store_.paths().Blob(blob.digest)});
    }
    return files;
  });
}

void DockerArchiveOrigin::Read(const std::vector<Descriptor>& blobs, const TakeBytes& take) {
  specs::WithContext("while reading " + members_.file().string(), [&] {
    std::map<std::string, std::size_t> places;
    std::set<std::string> names;
    for (std::size_t i = 0; i < blobs.size(); ++i) {
      const std::string& name = layers_.at(blobs[i].digest).member;
      places[name] = i;
      names.insert(name);
    }
    members_.Read(std::move(names), [&](const std::string& name, Source& content) {
      take(places.at(name), content);
    });
  });
}

}  // namespace imgbuild::layers
