#include "specs/oci/descriptor.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "specs/base/error.h"
#include "specs/oci/descriptor_json.h"
#include "specs/oci/json_document.h"

namespace imgbuild::specs {
namespace {

constexpr std::string_view kPrefix = "sha256:";

Sha256 DigestAt(const nlohmann::json& json) {
  const std::string text = json.at("digest").get<std::string>();
  if (const std::optional<Sha256> digest = ParseDigest(text)) return *digest;
  throw Error(fmt::format("\"{}\" is not a sha256 digest", text.substr(0, 100)))
      .Expected("\"sha256:\" and 64 lower-case hexadecimal digits");
}

}  // namespace

std::optional<Sha256> ParseDigest(std::string_view text) {
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  if (text.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  return Sha256::Parse(text);
}

nlohmann::ordered_json ToJson(const Descriptor& descriptor) {
  nlohmann::ordered_json json = {{"mediaType", descriptor.media_type},
                                 {"digest", descriptor.digest.Oci()},
                                 {"size", descriptor.size}};
  if (descriptor.platform) {
    json["platform"] = {{"architecture", ArchitectureName(descriptor.platform->architecture)},
                        {"os", "linux"}};
  }
  if (!descriptor.annotations.empty()) json["annotations"] = descriptor.annotations;
  return json;
}

std::map<std::string, std::string> AnnotationsOf(const nlohmann::json& json) {
  const auto found = json.find("annotations");
  if (found == json.end() || found->is_null()) return {};
  return found->get<std::map<std::string, std::string>>();
}

Descriptor ToDescriptor(const nlohmann::json& json) {
  Descriptor descriptor;
  descriptor.media_type = json.at("mediaType").get<std::string>();
  descriptor.digest = DigestAt(json);
  if (!json.at("size").is_number_unsigned()) throw Error("size is not a number of bytes");
  descriptor.size = json.at("size").get<std::uint64_t>();
  if (const auto platform = json.find("platform");
      platform != json.end() && platform->is_object()) {
    descriptor.platform =
        Platform::Parse(TextAt(*platform, "os") + "/" + TextAt(*platform, "architecture"));
  }
  descriptor.annotations = AnnotationsOf(json);
  return descriptor;
}

std::vector<Descriptor> ToDescriptors(const nlohmann::json& json) {
  if (!json.is_array()) throw Error("expected an array of descriptors");
  std::vector<Descriptor> descriptors;
  for (const nlohmann::json& item : json) descriptors.push_back(ToDescriptor(item));
  return descriptors;
}

std::string RenderDescriptor(const Descriptor& descriptor) { return ToJson(descriptor).dump(); }

}  // namespace imgbuild::specs
