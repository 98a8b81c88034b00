#include "builder/host/source_config.h"

#include <fmt/core.h>

#include "layers/io/file.h"
#include "specs/base/text.h"
#include "specs/base/toml.h"

namespace imgbuild::builder {
namespace {

using specs::Problems;
using specs::TomlEntry;
using specs::TomlValue;

void ReadString(const TomlEntry& entry, std::optional<std::string>& target, Problems& problems) {
  if (entry.value.kind == TomlValue::Kind::kString) {
    target = entry.value.text;
  } else {
    problems.Add(entry.value.where, fmt::format("{}: found {}, expected a string", entry.key,
                                                specs::TomlKindName(entry.value.kind)));
  }
}

struct ConfigKey {
  std::string_view key;
  std::optional<std::string>* target;
};

void ReadSection(const TomlEntry& section, const std::vector<ConfigKey>& settings,
                 Problems& problems) {
  if (section.value.kind != TomlValue::Kind::kTable) {
    problems.Add(section.value.where, fmt::format("[{}] is a table", section.key));
    return;
  }
  std::vector<std::string> known;
  for (const ConfigKey& setting : settings) known.emplace_back(setting.key);
  for (const TomlEntry& entry : section.value.entries) {
    bool found = false;
    for (const ConfigKey& setting : settings) {
      if (setting.key != entry.key) continue;
      ReadString(entry, *setting.target, problems);
      found = true;
    }
    if (!found) {
      problems.Add(entry.where, fmt::format("unknown key \"{}.{}\"", section.key, entry.key),
                   specs::DidYouMean(entry.key, known));
    }
  }
}

void ReadIndexes(const TomlEntry& section, SourceConfig& config, Problems& problems) {
  if (section.value.kind != TomlValue::Kind::kTable) {
    problems.Add(section.value.where, "[indexes] is a table: name = \"URL\"");
    return;
  }
  for (const TomlEntry& entry : section.value.entries) {
    std::optional<std::string> url;
    ReadString(entry, url, problems);
    if (url) config.indexes[entry.key] = *url;
  }
}

// [cache] from = ["...", ...]
void ReadCache(const TomlEntry& section, SourceConfig& config, Problems& problems) {
  if (section.value.kind != TomlValue::Kind::kTable) {
    problems.Add(section.value.where, "[cache] is a table");
    return;
  }
  for (const TomlEntry& entry : section.value.entries) {
    if (entry.key != "from") {
      problems.Add(entry.where, fmt::format("unknown key \"cache.{}\"", entry.key),
                   specs::DidYouMean(entry.key, {"from"}));
      continue;
    }
    if (entry.value.kind != TomlValue::Kind::kArray) {
      problems.Add(entry.value.where, fmt::format("from: found {}, expected an array of strings",
                                                  specs::TomlKindName(entry.value.kind)));
    }
    for (const TomlValue& item : entry.value.items) {
      std::optional<std::string> text;
      ReadString({entry.key, item.where, item}, text, problems);
      if (text) config.cache_from.push_back(*text);
    }
  }
}

}  // namespace

SourceConfig ParseSourceConfig(std::string_view text, std::string_view file) {
  SourceConfig config;
  config.file = file;
  Problems problems;
  auto parsed = specs::ParseToml(text, file);
  if (auto* problem = std::get_if<specs::Problem>(&parsed)) {
    problems.Add(problem->where, problem->message, problem->hint);
    problems.ThrowIfAny();
  }
  for (const TomlEntry& section : std::get<TomlValue>(parsed).entries) {
    if (section.key == "debian") {
      ReadSection(section,
                  {{"mirror", &config.debian_mirror},
                   {"security-mirror", &config.debian_security_mirror},
                   {"snapshot", &config.debian_snapshot},
                   {"keyring", &config.debian_keyring}},
                  problems);
    } else if (section.key == "python") {
      ReadSection(section, {{"index", &config.python_index}}, problems);
    } else if (section.key == "indexes") {
      ReadIndexes(section, config, problems);
    } else if (section.key == "cache") {
      ReadCache(section, config, problems);
    } else {
      problems.Add(section.where, fmt::format("unknown section \"{}\"", section.key),
                   specs::DidYouMean(section.key, {"debian", "python", "indexes", "cache"}));
    }
  }
  problems.ThrowIfAny();
  return config;
}

SourceConfig ReadSourceConfig(const std::filesystem::path& file) {
  std::error_code error;
  if (file.empty() || !std::filesystem::exists(file, error)) return {};
  return ParseSourceConfig(layers::ReadFile(file), file.string());
}

}  // namespace imgbuild::builder
