#include "specs/oci/manifest.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "specs/base/error.h"
#include "specs/oci/descriptor_json.h"
#include "specs/oci/json_document.h"
#include "specs/oci/media_types.h"

namespace imgbuild::specs {
namespace {

using Json = nlohmann::ordered_json;

nlohmann::json ParseTyped(std::string_view text, std::string_view media_type) {
  nlohmann::json json = ParseJsonDocument(text);
  if (json.at("schemaVersion") != 2) throw Error("schemaVersion is not 2");
  const std::string found = TextAt(json, "mediaType");
  if (!found.empty() && found != media_type) {
    throw Error("another media type").Found(found.substr(0, 100)).Expected(std::string(media_type));
  }
  return json;
}

}  // namespace

std::string RenderManifest(const Manifest& manifest) {
  Json layers = Json::array();
  for (const Descriptor& layer : manifest.layers) layers.push_back(ToJson(layer));
  Json json = {{"schemaVersion", 2},
               {"mediaType", kOciManifest},
               {"config", ToJson(manifest.config)},
               {"layers", std::move(layers)}};
  if (!manifest.annotations.empty()) json["annotations"] = manifest.annotations;
  return json.dump();
}

Manifest ParseManifest(std::string_view text, std::string_view what) {
  return Understand(what, [&] {
    const nlohmann::json json = ParseTyped(text, kOciManifest);
    return Manifest{.config = ToDescriptor(json.at("config")),
                    .layers = ToDescriptors(json.at("layers")),
                    .annotations = AnnotationsOf(json)};
  });
}

std::string RenderImageIndex(const ImageIndex& index) {
  Json manifests = Json::array();
  for (const Descriptor& manifest : index.manifests) manifests.push_back(ToJson(manifest));
  Json json = {{"schemaVersion", 2}, {"mediaType", kOciIndex}, {"manifests", std::move(manifests)}};
  if (!index.annotations.empty()) json["annotations"] = index.annotations;
  return json.dump();
}

ImageIndex ParseImageIndex(std::string_view text, std::string_view what) {
  return Understand(what, [&] {
    const nlohmann::json json = ParseTyped(text, kOciIndex);
    return ImageIndex{.manifests = ToDescriptors(json.at("manifests")),
                      .annotations = AnnotationsOf(json)};
  });
}

}  // namespace imgbuild::specs
