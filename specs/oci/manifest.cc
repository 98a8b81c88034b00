#include "specs/oci/manifest.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "specs/base/error.h"
#include "specs/oci/media_types.h"

namespace imgbuild::specs {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxDocument = 4u << 20;  // what registries accept as a manifest

Json ToJson(const Descriptor& descriptor) {
  Json json = {{"mediaType", descriptor.media_type},
               {"digest", descriptor.digest.Oci()},
               {"size", descriptor.size}};
  if (descriptor.platform) {
    json["platform"] = {{"architecture", ArchitectureName(descriptor.platform->architecture)},
                        {"os", "linux"}};
  }
  if (!descriptor.annotations.empty()) json["annotations"] = descriptor.annotations;
  return json;
}

std::map<std::string, std::string> Annotations(const Json& json) {
  auto found = json.find("annotations");
  if (found == json.end() || found->is_null()) return {};
  return found->get<std::map<std::string, std::string>>();
}

Descriptor ToDescriptor(const Json& json) {
  Descriptor descriptor;
  descriptor.media_type = json.at("mediaType").get<std::string>();
  const std::string digest = json.at("digest").get<std::string>();
  const std::optional<Sha256> parsed = Sha256::Parse(digest);
  if (!parsed || !digest.starts_with("sha256:")) {
    throw Error(fmt::format("\"{}\" is not a sha256 digest", digest));
  }
  descriptor.digest = *parsed;
  if (!json.at("size").is_number_unsigned()) throw Error("size is not a number of bytes");
  descriptor.size = json.at("size").get<std::uint64_t>();
  if (auto platform = json.find("platform"); platform != json.end() && platform->is_object()) {
    descriptor.platform =
        Platform::Parse(platform->value("os", "") + "/" + platform->value("architecture", ""));
  }
  descriptor.annotations = Annotations(json);
  return descriptor;
}

std::vector<Descriptor> ToDescriptors(const Json& json) {
  if (!json.is_array()) throw Error("expected an array of descriptors");
  std::vector<Descriptor> descriptors;
  for (const Json& item : json) descriptors.push_back(ToDescriptor(item));
  return descriptors;
}

Json ParseDocument(std::string_view text, std::string_view media_type) {
  if (text.size() > kMaxDocument) throw Error("larger than 4 MiB");
  Json json = Json::parse(text);
  if (json.at("schemaVersion") != 2) throw Error("schemaVersion is not 2");
  if (const std::string found = json.value("mediaType", std::string(media_type));
      found != media_type) {
    throw Error("another media type").Found(found).Expected(std::string(media_type));
  }
  return json;
}

// Turns what nlohmann throws into an Error that names the document.
template <typename Parse>
auto Understand(std::string_view what, Parse&& parse) {
  try {
    return parse();
  } catch (const nlohmann::json::exception& error) {
    throw Error(fmt::format("{} is not valid: {}", what, error.what()));
  } catch (Error& error) {
    throw std::move(error.In(fmt::format("while reading {}", what)));
  }
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
    const Json json = ParseDocument(text, kOciManifest);
    return Manifest{.config = ToDescriptor(json.at("config")),
                    .layers = ToDescriptors(json.at("layers")),
                    .annotations = Annotations(json)};
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
    const Json json = ParseDocument(text, kOciIndex);
    return ImageIndex{.manifests = ToDescriptors(json.at("manifests")),
                      .annotations = Annotations(json)};
  });
}

}  // namespace imgbuild::specs
