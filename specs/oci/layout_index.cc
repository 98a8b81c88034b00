#include "specs/oci/layout_index.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/json_document.h"
#include "specs/oci/media_types.h"
#include "specs/oci/raw_json.h"

namespace imgbuild::specs {
namespace {

// A string member, "" for anything else: what we do not understand is not ours to refuse.
std::string StringIn(const nlohmann::json& object, std::string_view key) {
  const auto found = object.find(std::string(key));
  if (found == object.end() || !found->is_string()) return "";
  return found->get<std::string>();
}

LayoutEntry ReadEntry(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text);
  if (!json.is_object()) throw Error("an entry of \"manifests\" is no object");
  LayoutEntry entry{.json = std::string(text),
                    .media_type = StringIn(json, "mediaType"),
                    .digest = StringIn(json, "digest"),
                    .ref_name = {}};
  if (const auto annotations = json.find("annotations"); annotations != json.end()) {
    entry.ref_name = StringIn(*annotations, kAnnotationRefName);
  }
  return entry;
}

void RequireIndex(const nlohmann::json& json) {
  if (!json.is_object()) throw Error("the document is no object");
  if (json.at("schemaVersion") != 2) throw Error("schemaVersion is not 2");
  const std::string type = TextAt(json, "mediaType");
  if (type.empty() || type == kOciIndex) return;
  throw Error("another media type").Found(type.substr(0, 100)).Expected(std::string(kOciIndex));
}

}  // namespace

LayoutEntry MakeLayoutEntry(Descriptor descriptor, std::string_view ref_name) {
  descriptor.annotations[std::string(kAnnotationRefName)] = ref_name;
  return {.json = RenderDescriptor(descriptor),
          .media_type = descriptor.media_type,
          .digest = descriptor.digest.Oci(),
          .ref_name = std::string(ref_name)};
}

void RequireLayoutMarker(std::string_view text, std::string_view what) {
  Understand(what, [&] {
    const std::string version = ParseJsonDocument(text).at("imageLayoutVersion").get<std::string>();
    if (version == "1.0.0") return;
    throw Error("an unknown version of image layouts")
        .Found(version.substr(0, 100))
        .Expected("1.0.0");
  });
}

LayoutIndex ParseLayoutIndex(std::string_view text, std::string_view what) {
  return Understand(what, [&] {
    const nlohmann::json json = ParseJsonDocument(text);
    RequireIndex(json);
    if (!json.at("manifests").is_array()) throw Error("\"manifests\" is no array");
    LayoutIndex index;
    std::size_t lists = 0;
    for (const RawMember& member : RawMembers(text)) {
      if (member.key == "manifests") {
        if (++lists > 1) throw Error("\"manifests\" stands there twice");
        for (std::string_view entry : RawElements(member.value)) {
          index.entries.push_back(ReadEntry(entry));
        }
      } else if (member.key != "schemaVersion" && member.key != "mediaType") {
        index.others.push_back(nlohmann::json(member.key).dump() + ":" + std::string(member.value));
      }
    }
    return index;
  });
}

std::string RenderLayoutIndex(const LayoutIndex& index) {
  std::vector<std::string> entries;
  for (const LayoutEntry& entry : index.entries) entries.push_back(entry.json);
  std::string text = fmt::format(R"({{"schemaVersion":2,"mediaType":"{}","manifests":[{}])",
                                 kOciIndex, Join(entries, ","));
  for (const std::string& other : index.others) text += "," + other;
  return text + "}";
}

}  // namespace imgbuild::specs
