#include <algorithm>

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/env/preset.h"
#include "specs/env/service_reader.h"
#include "specs/env/spec_reader.h"

namespace imgbuild::specs {
namespace {

bool IsServiceName(std::string_view name) {
  if (name.empty() || name.size() > 32 || name[0] < 'a' || name[0] > 'z') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
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

// "scripts/app.py", below the service's folder.
bool IsAppFile(std::string_view app) {
  bool climbs = false;
  for (std::string_view part : Split(app, '/')) climbs = climbs || part == "..";
  return app.ends_with(".py") && !app.starts_with('/') && !climbs;
}

void ReadApp(TableReader& table, Service& service) {
  using App = ServicePreset::App;
  service.app = table.String("app").value_or("");
  const ServicePreset* preset = FindPreset(service.preset);
  const App kind = preset == nullptr ? App::kNone : preset->app;
  const std::string path = table.PathOf("app");
  if (service.app.empty()) {
    if (kind == App::kNone || preset->has_page) return;
    table.Note("app", fmt::format("{} is missing", path),
               fmt::format("for example app = \"{}\"", kind == App::kFile ? "app.py" : "main:app"));
  } else if (kind == App::kNone) {
    table.Note("app", fmt::format("{} goes with presets that serve an application: {}", path,
                                  PresetsWithApp()));
  } else if (kind == App::kModule && !IsApp(service.app)) {
    table.Note("app",
               fmt::format("{} is \"{}\", expected \"module:attribute\"", path, service.app));
  } else if (kind == App::kFile && !IsAppFile(service.app)) {
    table.Note("app", fmt::format("{} is \"{}\", expected a file in the service's folder such as "
                                  "\"app.py\"",
                                  path, service.app));
  }
}

// What jupyter_server hashes passwords to: "argon2:...", "sha256:salt:...".
bool IsPasswordHash(std::string_view text) {
  return text.starts_with("argon2:$argon2") ||
         (text.starts_with("sha") && std::count(text.begin(), text.end(), ':') == 2);
}

// Keys that presets put into their commands.
void ReadPresetKeys(TableReader& table, const Service& service) {
  const ServicePreset* preset = FindPreset(service.preset);
  for (const char* key : {"base-url", "password-hash"}) {
    if (!table.Has(key) || (preset != nullptr && preset->Option(key) != nullptr)) continue;
    table.Note(
        key, fmt::format("{} goes with the presets {}", table.PathOf(key), PresetsWithOption(key)));
  }
  if (auto url = table.String("base-url");
      url && (!url->starts_with('/') || url->find_first_of(" \"'\\?#\r\n") != std::string::npos)) {
    table.Note("base-url", fmt::format("{} is \"{}\", expected a path such as \"/lab\"",
                                       table.PathOf("base-url"), *url));
  }
  if (auto hash = table.String("password-hash"); hash && !IsPasswordHash(*hash)) {
    table.Note("password-hash",
               fmt::format("{} is no hash of a password", table.PathOf("password-hash")),
               "python -c 'from jupyter_server.auth import passwd; print(passwd())' makes one");
  }
  (void)table.Texts("arguments");
  if (table.Has("arguments") && service.preset.empty()) {
    table.Note("arguments", fmt::format("{} goes with a preset", table.PathOf("arguments")),
               "write them into command");
  }
}

std::vector<std::string> ReadVolumes(TableReader& table) {
  std::vector<std::string> volumes;
  for (const Placed& volume : table.Strings("volumes")) {
    const bool plain = volume.text.size() > 1 && volume.text.starts_with('/') &&
                       !volume.text.ends_with('/') && volume.text.find("//") == std::string::npos &&
                       volume.text.find_first_of(":,\n") == std::string::npos;
    bool climbs = false;
    for (std::string_view part : Split(volume.text, '/')) {
      climbs = climbs || part == "." || part == "..";
    }
    if (plain && !climbs) {
      volumes.push_back(volume.text);
    } else {
      table.Note(volume.where, fmt::format("{} has \"{}\", expected an absolute path in the image",
                                           table.PathOf("volumes"), volume.text));
    }
  }
  return volumes;
}

// What presets provide, to all services but their own that do not say otherwise.
void AddProvided(std::vector<Service>& services) {
  for (const Service& provider : services) {
    const ServicePreset* preset = FindPreset(provider.preset);
    if (preset == nullptr || preset->provides.empty() || !provider.port) continue;
    const auto provided = ProvidedBy(*preset, *provider.port);
    for (Service& service : services) {
      if (&service != &provider) service.env.insert(provided.begin(), provided.end());
    }
  }
}

void ReadWhatRuns(TableReader& table, Service& service) {
  service.command = table.Texts("command");
  if (auto preset = table.Word("preset", PresetNames())) {
    service.preset = PresetNames()[*preset];
  }
  if (!table.Has("preset") && !table.Has("command")) {
    table.Note("preset", "a service needs either preset or command",
               fmt::format("for example preset = \"{}\"", ServicePresets()[0].name));
  } else if (table.Has("command") && service.command.empty()) {
    table.Note("command", fmt::format("{} is empty", table.PathOf("command")));
  }
  ReadApp(table, service);
  ReadPresetKeys(table, service);
  service.port = ReadPort(table);
  service.token = table.String("token").value_or("");
  if (!service.token.empty() && !IsVariable(service.token)) {
    table.Note("token", fmt::format("{} is \"{}\", expected the name of a variable",
                                    table.PathOf("token"), service.token));
  }
  service.announce = table.String("announce").value_or("");
  service.volumes = ReadVolumes(table);
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

void ReadRestart(TableReader& table, Service& service) {
  if (auto type = table.Word("type", {"service", "oneshot", "job"})) {
    service.type = static_cast<ServiceType>(*type);
  }
  if (auto restart = table.Word("restart", {"never", "on-failure", "always"})) {
    service.restart = static_cast<Restart>(*restart);
  }
  if (auto most = table.Integer("max-failures")) {
    if (*most >= 0 && *most <= 1'000'000) {
      service.max_failures = static_cast<std::uint64_t>(*most);
    } else {
      table.Note("max-failures", fmt::format("{} is {}, expected 0 (no limit) to 1000000",
                                             table.PathOf("max-failures"), *most));
    }
  }
  if (service.type == ServiceType::kService) return;
  // What runs to its end is ready by that.
  for (const char* key : {"ready", "live"}) {
    if (!table.Has(key)) continue;
    table.Note(
        key, fmt::format("{} goes with services that stay, not with type \"{}\"", table.PathOf(key),
                         service.type == ServiceType::kOneshot ? "oneshot" : "job"));
  }
  if (service.restart == Restart::kAlways) {
    table.Note("restart",
               fmt::format("{} is \"always\", but it runs to its end", table.PathOf("restart")),
               "write \"on-failure\" or \"never\"");
  }
}

Service ReadService(const TomlEntry& entry, const ImageSection& image, SpecReading& reading) {
  Service service;
  service.name = entry.key;
  const TomlValue merged = WithPreset(entry.value, image.workdir);
  TableReader table(merged, "services." + entry.key, "services.NAME", reading);
  if (!IsServiceName(entry.key)) {
    reading.problems.Add(entry.where, fmt::format("\"{}\" is no service name, expected lower-case "
                                                  "letters, digits and \"-\"",
                                                  entry.key));
  }
  ReadWhatRuns(table, service);
  service.dir = table.ImagePath("dir").value_or("");
  ReadSurroundings(table, service);
  service.after = table.Texts("after");
  ReadProbes(table, service);
  ReadRestart(table, service);
  service.essential = table.Boolean("essential").value_or(false);
  service.stop_signal = ReadSignal(table).value_or(service.stop_signal);
  service.stop_timeout_ms = table.Duration("stop-timeout").value_or(service.stop_timeout_ms);
  return service;
}

}  // namespace

std::vector<Service> ReadServices(const TomlValue* table, const ImageSection& image,
                                  SpecReading& reading) {
  std::vector<Service> services;
  if (table == nullptr) return services;
  for (const TomlEntry& entry : table->entries) {
    reading.sources.positions["services." + entry.key] = entry.where;
    if (entry.value.kind == TomlValue::Kind::kTable) {
      services.push_back(ReadService(entry, image, reading));
    } else {
      reading.problems.Add(
          entry.where, fmt::format("services.{} is {}, expected a table: [services.{}]", entry.key,
                                   TomlKindName(entry.value.kind), entry.key));
    }
  }
  std::sort(services.begin(), services.end(),
            [](const Service& a, const Service& b) { return a.name < b.name; });
  AddProvided(services);
  return services;
}

}  // namespace imgbuild::specs
