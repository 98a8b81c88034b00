#include "layers/image/as_oci.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "specs/base/error.h"
#include "specs/oci/json_document.h"
#include "specs/oci/media_types.h"

namespace imgbuild::layers {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kTypes = {{
    {specs::kDockerIndex, specs::kOciIndex},
    {specs::kDockerManifest, specs::kOciManifest},
    {specs::kDockerConfig, specs::kOciConfig},
    {"application/vnd.docker.image.rootfs.diff.tar", specs::kOciLayer},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip", specs::kOciLayerGzip},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd", specs::kOciLayerZstd},
}};

// The documents that were changed so far, by their old digest.
using Changed = std::map<std::string, specs::Descriptor>;

void Convert(Json& object, const Changed& changed) {
  const auto type = object.find("mediaType");
  if (type != object.end() && type->is_string()) *type = OciType(type->get<std::string>());
  const auto digest = object.find("digest");
  if (digest == object.end()) return;
  const auto now = changed.find(digest->get<std::string>());
  if (now == changed.end()) return;
  *digest = now->second.digest.Oci();
  object["size"] = now->second.size;
}

void ConvertEach(Json& document, const char* key, const Changed& changed) {
  const auto list = document.find(key);
  if (list == document.end() || !list->is_array()) return;
  for (Json& object : *list) Convert(object, changed);
}

void Convert(SourceDocument& document, const Changed& changed) {
  specs::Understand(document.descriptor.digest.Oci(), [&] {
    (void)specs::ParseJsonDocument(document.bytes);  // within its bounds
    Json json = Json::parse(document.bytes);
    Convert(json, changed);
    if (const auto config = json.find("config"); config != json.end()) Convert(*config, changed);
    ConvertEach(json, "layers", changed);
    ConvertEach(json, "manifests", changed);
    document.bytes = json.dump();
  });
  document.descriptor.media_type = OciType(document.descriptor.media_type);
  document.descriptor.digest = specs::HashOf(document.bytes);
  document.descriptor.size = document.bytes.size();
}

bool IsDocker(const SourceDocument& document) {
  return OciType(document.descriptor.media_type) != document.descriptor.media_type;
}

}  // namespace

std::string OciType(const std::string& type) {
  for (const auto& [docker, oci] : kTypes) {
    if (type == docker) return std::string(oci);
  }
  return type;
}

bool HasDockerTypes(const ImageSource& image) {
  return std::ranges::any_of(image.documents, IsDocker);
}

ImageSource AsOci(ImageSource image) {
  Changed changed;
  for (SourceDocument& document : image.documents) {
    // An index of OCI's kind may lead to a manifest of docker's.
    const bool leads_to_changed = std::ranges::any_of(changed, [&](const auto& entry) {
      return document.bytes.find(entry.first) != std::string::npos;
    });
    if (!IsDocker(document) && !leads_to_changed) continue;
    const std::string before = document.descriptor.digest.Oci();
    Convert(document, changed);
    changed[before] = document.descriptor;
  }
  for (SourceBlob& blob : image.blobs) {
    blob.descriptor.media_type = OciType(blob.descriptor.media_type);
  }
  return image;
}

}  // namespace imgbuild::layers
