#include "specs/oci/image_config.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::specs {
namespace {

using Json = nlohmann::ordered_json;

Json ContainerConfig(const ImageConfig& config) {
  Json json = Json::object();
  if (!config.user.empty()) json["User"] = config.user;
  if (!config.exposed_ports.empty()) {
    Json ports = Json::object();
    for (std::uint32_t port : config.exposed_ports) {
      ports[fmt::format("{}/tcp", port)] = Json::object();
    }
    json["ExposedPorts"] = std::move(ports);
  }
  Json env = Json::array();
  for (const auto& [name, value] : config.env) env.push_back(name + "=" + value);
  if (!env.empty()) json["Env"] = std::move(env);
  if (!config.entrypoint.empty()) json["Entrypoint"] = config.entrypoint;
  if (!config.command.empty()) json["Cmd"] = config.command;
  if (!config.workdir.empty()) json["WorkingDir"] = config.workdir;
  if (!config.labels.empty()) json["Labels"] = config.labels;
  if (!config.stop_signal.empty()) json["StopSignal"] = config.stop_signal;
  return json;
}

void ReadContainerConfig(const Json& json, ImageConfig& config) {
  config.user = json.value("User", "");
  config.workdir = json.value("WorkingDir", "");
  config.stop_signal = json.value("StopSignal", "");
  auto list = [&](const char* key) {
    auto found = json.find(key);
    if (found == json.end() || found->is_null()) return std::vector<std::string>();
    return found->get<std::vector<std::string>>();
  };
  config.entrypoint = list("Entrypoint");
  config.command = list("Cmd");
  for (const std::string& entry : list("Env")) {
    const std::size_t equals = entry.find('=');
    config.env.emplace_back(entry.substr(0, equals),
                            equals == std::string::npos ? "" : entry.substr(equals + 1));
  }
  if (auto labels = json.find("Labels"); labels != json.end() && labels->is_object()) {
    config.labels = labels->get<std::map<std::string, std::string>>();
  }
  if (auto ports = json.find("ExposedPorts"); ports != json.end() && ports->is_object()) {
    for (const auto& [port, unused] : ports->items()) {
      const auto number = ParseUnsigned(std::string_view(port).substr(0, port.find('/')));
      if (number && *number <= 65'535) {
        config.exposed_ports.push_back(static_cast<std::uint32_t>(*number));
      }
    }
  }
}

ImageConfig Read(const Json& json) {
  ImageConfig config;
  const std::string platform =
      json.at("os").get<std::string>() + "/" + json.at("architecture").get<std::string>();
  const std::optional<Platform> known = Platform::Parse(platform);
  if (!known) throw Error("unknown platform " + platform).Expected("linux/amd64 or linux/arm64");
  config.platform = *known;
  config.created = json.value("created", "");
  if (auto inner = json.find("config"); inner != json.end() && inner->is_object()) {
    ReadContainerConfig(*inner, config);
  }
  for (const Json& id : json.at("rootfs").at("diff_ids")) {
    const std::optional<Sha256> digest = Sha256::Parse(id.get<std::string>());
    if (!digest) throw Error(fmt::format("{} is not a diff id", id.dump()));
    config.diff_ids.push_back(*digest);
  }
  if (auto history = json.find("history"); history != json.end() && history->is_array()) {
    for (const Json& entry : *history) {
      config.history.push_back({.created_by = entry.value("created_by", ""),
                                .comment = entry.value("comment", ""),
                                .empty_layer = entry.value("empty_layer", false)});
    }
  }
  return config;
}

}  // namespace

std::string RenderImageConfig(const ImageConfig& config) {
  Json diff_ids = Json::array();
  for (const Sha256& id : config.diff_ids) diff_ids.push_back(id.Oci());
  Json history = Json::array();
  for (const HistoryEntry& entry : config.history) {
    Json json = {{"created", config.created}, {"created_by", entry.created_by}};
    if (!entry.comment.empty()) json["comment"] = entry.comment;
    if (entry.empty_layer) json["empty_layer"] = true;
    history.push_back(std::move(json));
  }
  Json json = {{"created", config.created},
               {"architecture", ArchitectureName(config.platform.architecture)},
               {"os", "linux"},
               {"config", ContainerConfig(config)},
               {"rootfs", {{"type", "layers"}, {"diff_ids", std::move(diff_ids)}}},
               {"history", std::move(history)}};
  return json.dump();
}

ImageConfig ParseImageConfig(std::string_view text, std::string_view what) {
  try {
    return Read(Json::parse(text));
  } catch (const nlohmann::json::exception& error) {
    throw Error(fmt::format("{} is not valid: {}", what, error.what()));
  } catch (Error& error) {
    throw std::move(error.In(fmt::format("while reading {}", what)));
  }
}

}  // namespace imgbuild::specs
