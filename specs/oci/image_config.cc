#include "specs/oci/image_config.h"

#include <algorithm>
#include <optional>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/descriptor.h"
#include "specs/oci/json_document.h"

namespace imgbuild::specs {
namespace {

using Json = nlohmann::ordered_json;

// Times are in nanoseconds.
constexpr std::uint64_t kSecond = 1'000'000'000;

Json RenderHealth(const HealthCheck& health) {
  Json test = {"CMD"};
  for (const std::string& word : health.command) test.push_back(word);
  return {{"Test", std::move(test)},
          {"Interval", health.interval_s * kSecond},
          {"Timeout", health.timeout_s * kSecond},
          {"StartPeriod", health.start_s * kSecond}};
}

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
  if (config.health) json["Healthcheck"] = RenderHealth(*config.health);
  return json;
}

// "8888/tcp" and "8888"; nullopt for other protocols.
std::optional<std::uint32_t> TcpPort(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos && text.substr(slash) != "/tcp") return std::nullopt;
  const auto number = ParseUnsigned(text.substr(0, slash));
  if (!number || *number > 65'535) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

// Nothing for a check in a shell's words, or none: not ours.
std::optional<HealthCheck> ReadHealth(const nlohmann::json& json) {
  const auto test = json.find("Test");
  if (test == json.end() || !test->is_array() || test->size() < 2 || (*test)[0] != "CMD") {
    return std::nullopt;
  }
  HealthCheck health{.command = test->get<std::vector<std::string>>()};
  health.command.erase(health.command.begin());
  auto seconds = [&](const char* key) {
    const auto found = json.find(key);
    const bool number = found != json.end() && found->is_number_unsigned();
    return number ? found->get<std::uint64_t>() / kSecond : 0;
  };
  health.interval_s = seconds("Interval");
  health.timeout_s = seconds("Timeout");
  health.start_s = seconds("StartPeriod");
  return health;
}

void ReadContainerConfig(const nlohmann::json& json, ImageConfig& config) {
  config.user = TextAt(json, "User");
  config.workdir = TextAt(json, "WorkingDir");
  config.stop_signal = TextAt(json, "StopSignal");
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
  if (auto health = json.find("Healthcheck"); health != json.end() && health->is_object()) {
    config.health = ReadHealth(*health);
  }
  if (auto labels = json.find("Labels"); labels != json.end() && labels->is_object()) {
    config.labels = labels->get<std::map<std::string, std::string>>();
  }
  if (auto ports = json.find("ExposedPorts"); ports != json.end() && ports->is_object()) {
    for (const auto& [port, unused] : ports->items()) {
      if (const auto number = TcpPort(port)) config.exposed_ports.push_back(*number);
    }
    std::sort(config.exposed_ports.begin(), config.exposed_ports.end());
  }
}

ImageConfig Read(const nlohmann::json& json) {
  ImageConfig config;
  const std::string platform =
      json.at("os").get<std::string>() + "/" + json.at("architecture").get<std::string>();
  const std::optional<Platform> known = Platform::Parse(platform);
  if (!known) throw Error("unknown platform " + platform).Expected("linux/amd64 or linux/arm64");
  config.platform = *known;
  config.created = TextAt(json, "created");
  if (auto inner = json.find("config"); inner != json.end() && inner->is_object()) {
    ReadContainerConfig(*inner, config);
  }
  for (const nlohmann::json& id : json.at("rootfs").at("diff_ids")) {
    const std::string text = id.get<std::string>();
    const std::optional<Sha256> digest = ParseDigest(text);
    if (!digest) throw Error(fmt::format("\"{}\" is not a diff id", text.substr(0, 100)));
    config.diff_ids.push_back(*digest);
  }
  if (auto history = json.find("history"); history != json.end() && history->is_array()) {
    for (const nlohmann::json& entry : *history) {
      config.history.push_back({.created_by = TextAt(entry, "created_by"),
                                .comment = TextAt(entry, "comment"),
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
  return Understand(what, [&] { return Read(ParseJsonDocument(text)); });
}

}  // namespace imgbuild::specs
