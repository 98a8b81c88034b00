#include "builder/cli/inspection.h"

#include <map>
#include <utility>

#include <nlohmann/json.hpp>

namespace imgbuild::builder {
namespace {

using Json = nlohmann::ordered_json;
using layers::ImageOrigin;
using specs::Document;
using specs::DocumentKind;
using specs::DocumentLink;

// History has an entry for each layer, and others that made none.
void AddHistory(InspectedManifest& manifest) {
  std::size_t layer = 0;
  for (const specs::HistoryEntry& entry : manifest.config->history) {
    if (entry.empty_layer) continue;
    if (layer == manifest.layers.size()) return;
    manifest.layers[layer++].created_by =
        entry.created_by.empty() ? entry.comment : entry.created_by;
  }
}

InspectedManifest InspectManifest(ImageOrigin& origin, const specs::Descriptor& descriptor,
                                  const Document& document) {
  InspectedManifest manifest{.descriptor = descriptor,
                             .platform = {},
                             .artifact_type = document.artifact_type,
                             .config_link = document.config,
                             .config = {},
                             .layers = {},
                             .annotations = document.annotations};
  for (const DocumentLink& layer : document.layers) manifest.layers.push_back({layer, ""});
  if (document.config && specs::IsConfigType(document.config->descriptor.media_type)) {
    const specs::Descriptor& config = document.config->descriptor;
    manifest.config =
        specs::ParseForeignConfig(layers::ReadVerifiedConfig(origin, config), config.digest.Oci());
    manifest.platform = manifest.config->platform;
    AddHistory(manifest);
  }
  return manifest;
}

Json ConfigJson(const specs::ForeignConfig& config) {
  return {{"created", config.created},
          {"author", config.author},
          {"user", config.user},
          {"entrypoint", config.entrypoint},
          {"command", config.command},
          {"workdir", config.workdir},
          {"exposedPorts", config.exposed_ports},
          {"volumes", config.volumes},
          {"stopSignal", config.stop_signal},
          {"env", config.env},
          {"labels", config.labels}};
}

Json LinkJson(const DocumentLink& link) {
  Json json = {{"mediaType", link.descriptor.media_type},
               {"digest", link.descriptor.digest.Oci()},
               {"size", link.descriptor.size}};
  if (!link.descriptor.annotations.empty()) json["annotations"] = link.descriptor.annotations;
  return json;
}

Json ManifestJson(const InspectedManifest& manifest) {
  Json json = {{"platform", manifest.platform},
               {"digest", manifest.descriptor.digest.Oci()},
               {"mediaType", manifest.descriptor.media_type},
               {"artifactType", manifest.artifact_type},
               {"size", manifest.Size()},
               {"annotations", manifest.annotations}};
  if (manifest.config_link) json["configDescriptor"] = LinkJson(*manifest.config_link);
  if (manifest.config) json["config"] = ConfigJson(*manifest.config);
  Json layers = Json::array();
  for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
    Json layer = LinkJson(manifest.layers[i].link);
    if (manifest.config && manifest.config->diff_ids.size() == manifest.layers.size()) {
      layer["diffId"] = manifest.config->diff_ids[i].Oci();
    }
    layer["createdBy"] = manifest.layers[i].created_by;
    layers.push_back(std::move(layer));
  }
  json["layers"] = std::move(layers);
  return json;
}

}  // namespace

std::uint64_t InspectedManifest::Size() const {
  std::uint64_t size = 0;
  for (const InspectedLayer& layer : layers) size += layer.link.descriptor.size;
  return size;
}

Inspection Inspect(ImageOrigin& origin, std::string name, const std::string& platform) {
  const layers::ImageParts parts = layers::ReadParts(origin, platform);
  Inspection inspection{.name = std::move(name),
                        .root = parts.root(),
                        .annotations = {},
                        .manifests = {},
                        .referrers = {}};
  std::map<specs::Sha256, DocumentLink> in_index;
  for (const layers::SourceDocument& part : parts.documents) {
    const Document document = specs::ParseDocument(part.bytes, part.descriptor.digest.Oci());
    if (document.kind == DocumentKind::kManifest) {
      inspection.manifests.push_back(InspectManifest(origin, part.descriptor, document));
      continue;
    }
    for (const DocumentLink& link : document.manifests) in_index[link.descriptor.digest] = link;
    if (part.descriptor.digest == parts.root().digest) {
      inspection.annotations = document.annotations;
    }
  }
  for (InspectedManifest& manifest : inspection.manifests) {
    const auto link = in_index.find(manifest.descriptor.digest);
    if (link != in_index.end() && !link->second.platform.empty()) {
      manifest.platform = link->second.platform;
    }
  }
  return inspection;
}

std::string InspectionJson(const Inspection& inspection) {
  Json json = {{"name", inspection.name},
               {"digest", inspection.root.digest.Oci()},
               {"mediaType", inspection.root.media_type},
               {"annotations", inspection.annotations},
               {"manifests", Json::array()}};
  for (const InspectedManifest& manifest : inspection.manifests) {
    json["manifests"].push_back(ManifestJson(manifest));
  }
  if (inspection.referrers) {
    json["referrers"] = Json::array();
    for (const Referrer& referrer : *inspection.referrers) {
      json["referrers"].push_back({{"artifactType", referrer.artifact_type},
                                   {"mediaType", referrer.descriptor.media_type},
                                   {"digest", referrer.descriptor.digest.Oci()},
                                   {"size", referrer.descriptor.size},
                                   {"annotations", referrer.descriptor.annotations}});
    }
  }
  return json.dump(2);
}

}  // namespace imgbuild::builder
