#include "specs/env/preset.h"

#include <algorithm>
#include <iterator>

#include "specs/base/text.h"
#include "specs/base/url.h"
#include "specs/env/merge.h"
#include "specs/env/preset_file.h"
#include "specs/env/spec.h"
#include "specs/presets/preset_files.h"

namespace imgbuild::specs {
namespace {

using Kind = TomlValue::Kind;
using Values = std::map<std::string, std::string>;  // "{port}" -> "8888"

std::string Fill(std::string text, const Values& values) {
  for (const auto& [place, value] : values) {
    for (std::size_t at = 0; (at = text.find(place, at)) != text.npos; at += value.size()) {
      text.replace(at, place.size(), value);
    }
  }
  return text;
}

// Fills in all texts of `value` and lets it stand where `where` is.
void Fill(TomlValue& value, const Values& values, const SourcePosition& where) {
  value.where = where;
  if (value.kind == Kind::kString) value.text = Fill(std::move(value.text), values);
  for (TomlValue& item : value.items) Fill(item, values, where);
  for (TomlEntry& entry : value.entries) {
    entry.where = where;
    Fill(entry.value, values, where);
  }
}

std::string TextOf(const TomlValue& table, std::string_view key) {
  const TomlValue* value = table.Find(key);
  return value != nullptr && value->kind == Kind::kString ? value->text : "";
}

std::uint32_t PortOf(const TomlValue& service, const ServicePreset& preset) {
  const TomlValue* port = service.Find("port");
  const bool given = port != nullptr && port->kind == Kind::kInteger && port->integer > 0 &&
                     port->integer <= 65535;
  return given ? static_cast<std::uint32_t>(port->integer) : preset.port;
}

Values ValuesFor(const TomlValue& service, const ServicePreset& preset, std::string_view workdir) {
  std::string app = TextOf(service, "app");
  std::string dir = TextOf(service, "dir");
  const bool page = preset.has_page && app.empty() && dir.empty();
  if (app.empty()) app = preset.app == ServicePreset::App::kFile ? "app.py" : "main:app";
  if (dir.empty()) dir = page ? kPageDirectory : workdir;
  return {{"{app}", app},
          {"{base-url}", WithoutSlash(TextOf(service, "base-url"))},
          {"{dir}", dir},
          {"{password-hash}", TextOf(service, "password-hash")},
          {"{port}", std::to_string(PortOf(service, preset))},
          {"{workdir}", std::string(workdir)}};
}

void Set(TomlValue& table, std::string_view key, TomlValue value) {
  if (TomlValue* old = table.Find(key)) {
    *old = std::move(value);
  } else {
    table.entries.push_back({std::string(key), {}, std::move(value)});
  }
}

TomlValue Text(std::string text) {
  TomlValue value;
  value.kind = Kind::kString;
  value.text = std::move(text);
  return value;
}

void ApplyOption(const PresetOption& option, TomlValue& base) {
  TomlValue* command = base.Find("command");
  for (const std::string& argument : option.arguments) command->items.push_back(Text(argument));
  if (!option.env.empty() && base.Find("env") == nullptr) Set(base, "env", TomlValue());
  for (const auto& [name, value] : option.env) Set(*base.Find("env"), name, Text(value));
  for (const std::string& key : option.replaces) {
    std::erase_if(base.entries, [&](const TomlEntry& entry) { return entry.key == key; });
  }
}

// A probe that asks in another way than the preset's has nothing in common with it.
void DropOtherProbe(const TomlValue& service, TomlValue& base, std::string_view key) {
  const TomlValue* own = service.Find(key);
  if (own == nullptr || own->kind != Kind::kTable) return;
  for (std::string_view kind : {"http", "tcp", "exec", "delay"}) {
    if (own->Find(kind) == nullptr) continue;
    std::erase_if(base.entries, [&](const TomlEntry& entry) { return entry.key == key; });
    return;
  }
}

// A string counts as an array of one, as everywhere in a spec.
void AppendArguments(const TomlValue& service, TomlValue& base) {
  const TomlValue* more = service.Find("arguments");
  if (more == nullptr || service.Find("command") != nullptr) return;
  TomlValue* command = base.Find("command");
  if (more->kind == Kind::kString) command->items.push_back(*more);
  std::copy(more->items.begin(), more->items.end(), std::back_inserter(command->items));
}

template <typename Has>
std::string NamesOf(Has has) {
  std::vector<std::string> names;
  for (const ServicePreset& preset : ServicePresets()) {
    if (has(preset)) names.push_back(preset.name);
  }
  return Join(names, ", ");
}

}  // namespace

const PresetOption* ServicePreset::Option(std::string_view key) const {
  const auto found = std::ranges::find(options, key, &PresetOption::key);
  return found == options.end() ? nullptr : &*found;
}

std::span<const ServicePreset> ServicePresets() {
  static const std::vector<ServicePreset> kPresets = [] {
    std::vector<ServicePreset> presets;
    for (const PresetFile& file : PresetFiles()) presets.push_back(ReadPreset(file));
    return presets;
  }();
  return kPresets;
}

const ServicePreset* FindPreset(std::string_view name) {
  const auto found = std::ranges::find(ServicePresets(), name, &ServicePreset::name);
  return found == ServicePresets().end() ? nullptr : &*found;
}

std::string PresetsWithApp() {
  return NamesOf(
      [](const ServicePreset& preset) { return preset.app != ServicePreset::App::kNone; });
}

std::string PresetsWithOption(std::string_view key) {
  return NamesOf([&](const ServicePreset& preset) { return preset.Option(key) != nullptr; });
}

TomlValue WithPreset(const TomlValue& service, std::string_view workdir) {
  const ServicePreset* preset = FindPreset(TextOf(service, "preset"));
  if (preset == nullptr) return service;
  TomlValue base = preset->service;
  for (const PresetOption& option : preset->options) {
    if (!TextOf(service, option.key).empty()) ApplyOption(option, base);
  }
  Values values = ValuesFor(service, *preset, workdir);
  // Where the port is published as another one, only the supervisor knows it.
  if (TomlValue* announce = base.Find("announce")) {
    announce->text =
        Fill(std::move(announce->text), {{"{port}", "{port " + values["{port}"] + "}"}});
  }
  SourcePosition where;
  for (const TomlEntry& entry : service.entries) {
    if (entry.key == "preset") where = entry.where;
  }
  Fill(base, values, where);
  DropOtherProbe(service, base, "ready");
  DropOtherProbe(service, base, "live");
  AppendArguments(service, base);
  const SourcePosition place = service.where;
  MergeToml(base, service);
  base.where = place;
  return base;
}

std::map<std::string, std::string> ProvidedBy(const ServicePreset& preset, std::uint32_t port) {
  std::map<std::string, std::string> provided = preset.provides;
  for (auto& [name, value] : provided) {
    value = Fill(std::move(value), {{"{port}", std::to_string(port)}});
  }
  return provided;
}

std::map<std::string, std::string> WatchEnvironment(const Spec& spec) {
  std::map<std::string, std::string> env;
  for (const Service& service : spec.services) {
    if (const ServicePreset* preset = FindPreset(service.preset)) {
      env.insert(preset->watch.begin(), preset->watch.end());
    }
  }
  return env;
}

bool ServesBuiltInPage(const Service& service) {
  const ServicePreset* preset = FindPreset(service.preset);
  return preset != nullptr && preset->has_page &&
         std::ranges::find(service.command, kPageDirectory) != service.command.end();
}

}  // namespace imgbuild::specs
