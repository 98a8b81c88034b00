#include "specs/env/merge.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include <fmt/core.h>

namespace imgbuild::specs {
namespace {

using Kind = TomlValue::Kind;

// More documents above each other are a mistake.
constexpr std::size_t kMaxExtends = 16;

// The array of { append = [...] }, which is no other table a spec may have.
TomlValue* AppendedArray(TomlValue& value) {
  if (value.kind != Kind::kTable || value.entries.size() != 1) return nullptr;
  TomlValue* array = value.Find("append");
  return array != nullptr && array->kind == Kind::kArray ? array : nullptr;
}

std::optional<TomlValue> Parse(std::string_view text, std::string_view file, SpecReading& reading) {
  auto parsed = ParseToml(text, file);
  if (auto* problem = std::get_if<Problem>(&parsed)) {
    reading.problems.Add(problem->where, problem->message, problem->hint);
    return std::nullopt;
  }
  return std::get<TomlValue>(std::move(parsed));
}

// The file's own table after all that it extends, furthest first.
TomlValue ReadChain(const std::string& text, SpecReading& reading) {
  std::vector<TomlValue> chain;
  std::string file = reading.request.file;
  std::optional<std::string> content = text;
  for (;;) {
    std::optional<TomlValue> document = Parse(*content, file, reading);
    if (!document) break;
    chain.push_back(*std::move(document));
    const TomlValue* extends = chain.back().Find("extends");
    if (extends == nullptr || extends->kind != Kind::kString) break;
    SourcePosition where = extends->where;
    std::string next = BesideFile(file, extends->text);
    auto& seen = reading.sources.extends;
    if (next == BesideFile(reading.request.file,
                           std::filesystem::path(reading.request.file).filename().string()) ||
        std::find(seen.begin(), seen.end(), next) != seen.end()) {
      reading.problems.Add(where, fmt::format("\"{}\" extends itself", extends->text));
      break;
    }
    content = reading.request.read_file(next);
    if (!content || seen.size() == kMaxExtends) {
      reading.problems.Add(
          where, content ? fmt::format("more than {} specs extend each other", kMaxExtends)
                         : fmt::format("there is no file {} to extend", next));
      break;
    }
    seen.push_back(next);
    file = next;
  }
  TomlValue merged;
  merged.where = {reading.request.file, 0, 0};
  for (auto document = chain.rbegin(); document != chain.rend(); ++document) {
    MergeToml(merged, std::move(*document));
  }
  return merged;
}

// A document whose every position is `label`: "--set cuda.enabled".
void Relabel(TomlValue& value, const std::string& label) {
  value.where = {label, 0, 0};
  for (TomlValue& item : value.items) Relabel(item, label);
  for (TomlEntry& entry : value.entries) {
    entry.where = {label, 0, 0};
    Relabel(entry.value, label);
  }
}

void ApplySetting(const std::string& setting, SpecReading& reading, TomlValue& base) {
  std::size_t equals = setting.find('=');
  std::string label = "--set " + setting.substr(0, equals);
  if (equals == std::string::npos || setting.find('\n') != std::string::npos) {
    reading.problems.Add({label, 0, 0}, "expected KEY=VALUE",
                         "for example --set cuda.enabled=true");
    return;
  }
  auto parsed = ParseToml(setting, label);
  if (auto* problem = std::get_if<Problem>(&parsed)) {
    std::string value = setting.substr(equals + 1);
    reading.problems.Add({label, 0, 0}, problem->message,
                         fmt::format("the value is TOML: texts need quotes, --set '{}={}'",
                                     setting.substr(0, equals), TomlQuote(value)));
    return;
  }
  auto& document = std::get<TomlValue>(parsed);
  Relabel(document, label);
  if (document.Find("extends") != nullptr) {
    reading.problems.Add({label, 0, 0}, "extends cannot be set, only written into the spec");
    return;
  }
  MergeToml(base, std::move(document));
}

}  // namespace

void MergeToml(TomlValue& base, TomlValue over) {
  if (base.kind == Kind::kArray) {
    if (TomlValue* more = AppendedArray(over)) {
      std::move(more->items.begin(), more->items.end(), std::back_inserter(base.items));
      return;
    }
  }
  if (base.kind != Kind::kTable || over.kind != Kind::kTable) {
    base = std::move(over);
    return;
  }
  // Two appends to an array further down become one.
  TomlValue* below = AppendedArray(base);
  TomlValue* more = AppendedArray(over);
  if (below != nullptr && more != nullptr) {
    std::move(more->items.begin(), more->items.end(), std::back_inserter(below->items));
    return;
  }
  for (TomlEntry& entry : over.entries) {
    if (TomlValue* value = base.Find(entry.key)) {
      MergeToml(*value, std::move(entry.value));
      auto same = std::find_if(base.entries.begin(), base.entries.end(),
                               [&](const TomlEntry& other) { return other.key == entry.key; });
      same->where = entry.where;
    } else {
      base.entries.push_back(std::move(entry));
    }
  }
}

void ResolveAppends(TomlValue& value) {
  if (TomlValue* array = AppendedArray(value)) {
    TomlValue resolved = std::move(*array);
    value = std::move(resolved);
  }
  for (TomlEntry& entry : value.entries) ResolveAppends(entry.value);
  for (TomlValue& item : value.items) ResolveAppends(item);
}

TomlValue ReadDocuments(SpecReading& reading) {
  const SpecRequest& request = reading.request;
  SpecSources& sources = reading.sources;
  sources.file = request.file;
  sources.folder = std::filesystem::path(request.file).parent_path().string();
  if (sources.folder.empty()) sources.folder = ".";
  std::optional<std::string> text = request.read_file(request.file);
  if (!text) throw Error(ErrorKind::kUsage, fmt::format("there is no spec {}", request.file));
  TomlValue merged = ReadChain(*text, reading);
  if (request.overlay == LocalOverlay::kApply) {
    std::string overlay = OverlayPath(request.file);
    if (std::optional<std::string> local = request.read_file(overlay)) {
      sources.overlay = overlay;
      if (auto document = Parse(*local, overlay, reading)) {
        if (const TomlValue* extends = document->Find("extends")) {
          reading.problems.Add(extends->where, "an overlay extends nothing",
                               fmt::format("write extends into {}", request.file));
        }
        MergeToml(merged, *std::move(document));
      }
    }
  }
  for (const std::string& setting : request.settings) ApplySetting(setting, reading, merged);
  sources.settings = request.settings;
  ResolveAppends(merged);
  return merged;
}

}  // namespace imgbuild::specs
