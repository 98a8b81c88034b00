#include "specs/oci/foreign_config.h"

#include <nlohmann/json.hpp>

#include "specs/base/error.h"
#include "specs/oci/descriptor.h"
#include "specs/oci/json_document.h"
#include "specs/oci/media_types.h"

namespace imgbuild::specs {
namespace {

using nlohmann::json;

const json& MemberOf(const json& object, const char* key) {
  static const json kNull;
  const auto found = object.find(key);
  return found == object.end() ? kNull : *found;
}

std::vector<std::string> TextsAt(const json& object, const char* key) {
  const json& list = MemberOf(object, key);
  return list.is_null() ? std::vector<std::string>() : list.get<std::vector<std::string>>();
}

// Sets are written as objects with empty values.
std::vector<std::string> KeysAt(const json& object, const char* key) {
  const json& set = MemberOf(object, key);
  std::vector<std::string> keys;
  if (set.is_null()) return keys;
  if (!set.is_object()) throw Error(std::string(key) + " is no object");
  for (const auto& [name, value] : set.items()) keys.push_back(name);
  return keys;
}

void ReadSettings(const json& settings, ForeignConfig& config) {
  if (settings.is_null()) return;
  if (!settings.is_object()) throw Error("config is no object");
  config.user = TextAt(settings, "User");
  config.exposed_ports = KeysAt(settings, "ExposedPorts");
  config.env = TextsAt(settings, "Env");
  config.entrypoint = TextsAt(settings, "Entrypoint");
  config.command = TextsAt(settings, "Cmd");
  config.volumes = KeysAt(settings, "Volumes");
  config.workdir = TextAt(settings, "WorkingDir");
  config.stop_signal = TextAt(settings, "StopSignal");
  const json& labels = MemberOf(settings, "Labels");
  if (!labels.is_null()) config.labels = labels.get<std::map<std::string, std::string>>();
}

}  // namespace

ForeignConfig ParseForeignConfig(std::string_view text, std::string_view what) {
  return Understand(what, [&] {
    const json document = ParseJsonDocument(text);
    if (!document.is_object()) throw Error("the document is no object");
    ForeignConfig config;
    const std::string variant = TextAt(document, "variant");
    config.platform = TextAt(document, "os") + "/" + TextAt(document, "architecture") +
                      (variant.empty() ? "" : "/" + variant);
    config.created = TextAt(document, "created");
    config.author = TextAt(document, "author");
    ReadSettings(MemberOf(document, "config"), config);
    const json& rootfs = MemberOf(document, "rootfs");
    if (!rootfs.is_null() && !rootfs.is_object()) throw Error("rootfs is no object");
    for (const std::string& id :
         rootfs.is_null() ? std::vector<std::string>() : TextsAt(rootfs, "diff_ids")) {
      const auto digest = ParseDigest(id);
      if (!digest) throw Error("a diff id is no sha256 digest").Found(id.substr(0, 100));
      config.diff_ids.push_back(*digest);
    }
    const json& history = MemberOf(document, "history");
    if (!history.is_null() && !history.is_array()) throw Error("history is no array");
    for (const json& entry : history.is_null() ? json::array() : history) {
      const json& empty = MemberOf(entry, "empty_layer");
      config.history.push_back({.created_by = TextAt(entry, "created_by"),
                                .comment = TextAt(entry, "comment"),
                                .empty_layer = empty.is_boolean() && empty.get<bool>()});
    }
    return config;
  });
}

bool IsConfigType(std::string_view media_type) {
  return media_type == kOciConfig || media_type == kDockerConfig;
}

}  // namespace imgbuild::specs
