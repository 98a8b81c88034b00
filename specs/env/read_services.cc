#include <algorithm>

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/env/preset.h"
#include "specs/env/spec_reader.h"

namespace imgbuild::specs {
namespace {

bool IsServiceName(std::string_view name) {
  if (name.empty() || name.size() > 32 || name[0] < 'a' || name[0] > 'z') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::optional<std::uint32_t> ReadPort(TableReader& table) {
  std::optional<std::int64_t> port = table.Integer("port");
  if (!port) return std::nullopt;
  if (*port >= 1 && *port <= 65535) return static_cast<std::uint32_t>(*port);
  table.Note("port", fmt::format("{} is {}, expected 1 to 65535", table.PathOf("port"), *port));
  return std::nullopt;
}

std::vector<std::string> PresetNames() {
  std::vector<std::string> names;
  for (const ServicePreset& preset : ServicePresets()) names.emplace_back(preset.name);
  return names;
}

// "package.module:attribute".
bool IsApp(std::string_view app) {
  std::size_t colon = app.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon + 1 == app.size()) return false;
  return app.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:") ==
             std::string_view::npos &&
         app.find(':', colon + 1) == std::string_view::npos;
}

void ReadWhatRuns(TableReader& table, Service& service) {
  service.command = table.Texts("command");
  service.app = table.String("app").value_or("");
  if (auto preset = table.Word("preset", PresetNames())) {
    service.preset = PresetNames()[*preset];
  }
  if (table.Has("preset") == table.Has("command")) {
    table.Note("preset", "a service needs either preset or command",
               fmt::format("for example preset = \"{}\"", ServicePresets()[0].name));
  } else if (table.Has("command") && service.command.empty()) {
    table.Note("command", fmt::format("{} is empty", table.PathOf("command")));
  }
  const ServicePreset* preset = FindPreset(service.preset);
  if (!service.app.empty() && (preset == nullptr || !preset->serves_app)) {
    table.Note("app", fmt::format("{} goes with presets that serve an application: fasthtml, "
                                  "fastapi, uvicorn",
                                  table.PathOf("app")));
  } else if (!service.app.empty() && !IsApp(service.app)) {
    table.Note("app", fmt::format("{} is \"{}\", expected \"module:attribute\"",
                                  table.PathOf("app"), service.app));
  } else if (service.app.empty() && preset != nullptr && preset->serves_app && !preset->has_page) {
    table.Note("app", fmt::format("{} is missing", table.PathOf("app")),
               "for example app = \"main:app\"");
  }
  service.port = ReadPort(table);
  if (!service.port && preset != nullptr) service.port = preset->port;
}

ReadyProbe ReadReady(TableReader& service, const std::optional<std::uint32_t>& port) {
  ReadyProbe probe;
  const TomlValue* value = service.Table("ready");
  if (value == nullptr) return probe;
  TableReader table(*value, service.PathOf("ready"), "services.NAME.ready", service.reading());
  bool tcp = table.Boolean("tcp").value_or(false);
  if (auto path = table.String("http")) {
    probe.kind = ReadyProbe::Kind::kHttp;
    probe.http_path = *path;
    if (!path->starts_with('/') || path->find_first_of(" \r\n") != std::string::npos) {
      table.Note("http", fmt::format("{} is \"{}\", expected a path such as \"/\"",
                                     table.PathOf("http"), *path));
    }
  } else if (tcp) {
    probe.kind = ReadyProbe::Kind::kTcp;
  }
  if (table.Has("http") == tcp) {
    service.Note("ready", fmt::format("{} needs either http = \"/path\" or tcp = true",
                                      service.PathOf("ready")));
  }
  if (auto own = ReadPort(table); own && own != port) probe.port = *own;
  if (!port && probe.port == 0) {
    service.Note("ready",
                 fmt::format("{} asks a port, but the service has none", service.PathOf("ready")),
                 "write port = ... beside it");
  }
  probe.timeout_ms = table.Duration("timeout").value_or(probe.timeout_ms);
  return probe;
}

std::optional<std::string> ReadSignal(TableReader& table) {
  static const std::vector<std::string> kSignals = {"TERM", "INT",  "QUIT", "HUP",
                                                    "USR1", "USR2", "KILL"};
  std::optional<std::string> text = table.String("stop-signal");
  if (!text) return std::nullopt;
  std::string name = text->starts_with("SIG") ? text->substr(3) : *text;
  if (std::find(kSignals.begin(), kSignals.end(), name) != kSignals.end()) return name;
  table.Note("stop-signal",
             fmt::format("{} is \"{}\", expected one of \"{}\"", table.PathOf("stop-signal"), *text,
                         Join(kSignals, "\", \"")));
  return std::nullopt;
}

Service ReadService(const TomlEntry& entry, SpecReading& reading) {
  Service service;
  service.name = entry.key;
  TableReader table(entry.value, "services." + entry.key, "services.NAME", reading);
  if (!IsServiceName(entry.key)) {
    reading.problems.Add(entry.where, fmt::format("\"{}\" is no service name, expected lower-case "
                                                  "letters, digits and \"-\"",
                                                  entry.key));
  }
  ReadWhatRuns(table, service);
  service.dir = table.ImagePath("dir").value_or("");
  service.env = ReadEnv(table);
  service.after = table.Texts("after");
  service.ready = ReadReady(table, service.port);
  if (auto restart = table.Word("restart", {"never", "on-failure", "always"})) {
    service.restart = static_cast<Restart>(*restart);
  }
  service.essential = table.Boolean("essential").value_or(false);
  service.stop_signal = ReadSignal(table).value_or(service.stop_signal);
  service.stop_timeout_ms = table.Duration("stop-timeout").value_or(service.stop_timeout_ms);
  return service;
}

}  // namespace

std::vector<Service> ReadServices(const TomlValue* table, SpecReading& reading) {
  std::vector<Service> services;
  if (table == nullptr) return services;
  for (const TomlEntry& entry : table->entries) {
    reading.sources.positions["services." + entry.key] = entry.where;
    if (entry.value.kind == TomlValue::Kind::kTable) {
      services.push_back(ReadService(entry, reading));
    } else {
      reading.problems.Add(
          entry.where, fmt::format("services.{} is {}, expected a table: [services.{}]", entry.key,
                                   TomlKindName(entry.value.kind), entry.key));
    }
  }
  std::sort(services.begin(), services.end(),
            [](const Service& a, const Service& b) { return a.name < b.name; });
  return services;
}

}  // namespace imgbuild::specs
