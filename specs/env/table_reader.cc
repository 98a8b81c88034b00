#include "specs/env/table_reader.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <fmt/core.h>

#include "specs/base/measure.h"
#include "specs/base/text.h"
#include "specs/env/spec_keys.h"

namespace imgbuild::specs {
namespace {

using Kind = TomlValue::Kind;

std::vector<std::string> KeysOf(const SpecTable& table) {
  return {table.keys.begin(), table.keys.end()};
}

}  // namespace

std::string BesideFile(std::string_view file, std::string_view path) {
  namespace fs = std::filesystem;
  return (fs::path(file).parent_path() / fs::path(path)).lexically_normal().string();
}

TableReader::TableReader(const TomlValue& table, std::string path, std::string_view schema,
                         SpecReading& reading)
    : table_(table), path_(std::move(path)), reading_(reading) {
  const std::vector<std::string> known = KeysOf(SpecTableOf(schema));
  for (const TomlEntry& entry : table.entries) {
    reading.sources.positions[PathOf(entry.key)] = entry.where;
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    std::string hint = DidYouMean(entry.key, known);
    if (hint.empty()) hint = fmt::format("keys here: {}", Join(known, ", "));
    Note(entry.where, fmt::format("unknown key \"{}\"", PathOf(entry.key)), hint);
  }
}

std::string TableReader::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

SourcePosition TableReader::Where(std::string_view key) const {
  for (const TomlEntry& entry : table_.entries) {
    if (entry.key == key) return entry.where;
  }
  return table_.where;
}

void TableReader::Note(std::string_view key, std::string message, std::string hint) {
  Note(Where(key), std::move(message), std::move(hint));
}

void TableReader::Note(const SourcePosition& where, std::string message, std::string hint) {
  reading_.problems.Add(where, std::move(message), std::move(hint));
}

void TableReader::WrongType(const TomlValue& value, const std::string& path,
                            std::string_view expected) {
  Note(value.where, fmt::format("{} is {}, expected {}", path, TomlKindName(value.kind), expected));
}

const TomlValue* TableReader::Get(std::string_view key, Kind kind) {
  const TomlValue* value = table_.Find(key);
  if (value == nullptr || value->kind == kind) return value;
  WrongType(*value, PathOf(key), TomlKindName(kind));
  return nullptr;
}

std::optional<std::string> TableReader::String(std::string_view key) {
  const TomlValue* value = Get(key, Kind::kString);
  if (value == nullptr) return std::nullopt;
  return value->text;
}

std::optional<std::int64_t> TableReader::Integer(std::string_view key) {
  const TomlValue* value = Get(key, Kind::kInteger);
  if (value == nullptr) return std::nullopt;
  return value->integer;
}

std::optional<bool> TableReader::Boolean(std::string_view key) {
  const TomlValue* value = Get(key, Kind::kBoolean);
  if (value == nullptr) return std::nullopt;
  return value->boolean;
}

std::vector<Placed> TableReader::Strings(std::string_view key) {
  const TomlValue* value = table_.Find(key);
  if (value == nullptr) return {};
  if (value->kind == Kind::kString) return {{value->text, value->where}};
  std::vector<Placed> texts;
  if (value->kind != Kind::kArray) {
    WrongType(*value, PathOf(key), "an array of strings");
    return texts;
  }
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    const TomlValue& item = value->items[i];
    std::string path = fmt::format("{}[{}]", PathOf(key), i);
    reading_.sources.positions[path] = item.where;
    if (item.kind == Kind::kString) {
      texts.push_back({item.text, item.where});
    } else {
      WrongType(item, path, "a string");
    }
  }
  return texts;
}

std::vector<std::string> TableReader::Texts(std::string_view key) {
  std::vector<std::string> texts;
  for (Placed& placed : Strings(key)) texts.push_back(std::move(placed.text));
  return texts;
}

std::map<std::string, std::string> TableReader::StringMap(std::string_view key) {
  std::map<std::string, std::string> map;
  const TomlValue* value = Get(key, Kind::kTable);
  if (value == nullptr) return map;
  for (const TomlEntry& entry : value->entries) {
    std::string path = fmt::format("{}.{}", PathOf(key), entry.key);
    reading_.sources.positions[path] = entry.where;
    if (entry.value.kind == Kind::kString) {
      map[entry.key] = entry.value.text;
    } else {
      WrongType(entry.value, path, "a string");
    }
  }
  return map;
}

std::optional<std::string> TableReader::Date(std::string_view key) {
  const TomlValue* value = table_.Find(key);
  if (value == nullptr) return std::nullopt;
  if (value->kind == Kind::kDate || value->kind == Kind::kString) return value->text;
  WrongType(*value, PathOf(key), "a date");
  return std::nullopt;
}

std::optional<std::uint64_t> TableReader::Duration(std::string_view key) {
  std::optional<std::string> text = String(key);
  if (!text) return std::nullopt;
  std::optional<std::uint64_t> duration = ParseDuration(*text);
  if (!duration) {
    Note(key, fmt::format("{} is \"{}\", expected a duration such as \"30s\"", PathOf(key), *text));
  }
  return duration;
}

std::optional<std::uint64_t> TableReader::Size(std::string_view key) {
  const TomlValue* value = table_.Find(key);
  if (value == nullptr) return std::nullopt;
  std::optional<std::uint64_t> size;
  if (value->kind == Kind::kInteger && value->integer >= 0) {
    size = static_cast<std::uint64_t>(value->integer);
  } else if (value->kind == Kind::kString) {
    size = ParseSize(value->text);
  }
  if (!size) Note(key, fmt::format("{} is no size, expected one such as \"4GiB\"", PathOf(key)));
  return size;
}

std::optional<std::uint32_t> TableReader::Mode(std::string_view key) {
  const TomlValue* value = table_.Find(key);
  if (value == nullptr) return std::nullopt;
  std::int64_t mode = -1;
  if (value->kind == Kind::kInteger) mode = value->integer;
  if (value->kind == Kind::kString) {
    const char* end = value->text.data() + value->text.size();
    auto [stopped, error] = std::from_chars(value->text.data(), end, mode, 8);
    if (error != std::errc() || stopped != end) mode = -1;
  }
  if (mode >= 0 && mode <= 07777) return static_cast<std::uint32_t>(mode);
  Note(key, fmt::format("{} is no file mode, expected one such as \"0644\"", PathOf(key)));
  return std::nullopt;
}

const TomlValue* TableReader::Table(std::string_view key) { return Get(key, Kind::kTable); }

std::vector<const TomlValue*> TableReader::Tables(std::string_view key) {
  std::vector<const TomlValue*> tables;
  const TomlValue* value = Get(key, Kind::kArray);
  if (value == nullptr) return tables;
  for (const TomlValue& item : value->items) {
    if (item.kind == Kind::kTable) {
      tables.push_back(&item);
    } else {
      WrongType(item, PathOf(key), fmt::format("tables: [[{}]]", PathOf(key)));
    }
  }
  return tables;
}

std::optional<std::size_t> TableReader::Word(std::string_view key,
                                             const std::vector<std::string>& words) {
  std::optional<std::string> text = String(key);
  if (!text) return std::nullopt;
  auto found = std::find(words.begin(), words.end(), *text);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  Note(key,
       fmt::format("{} is \"{}\", expected one of \"{}\"", PathOf(key), *text,
                   Join(words, "\", \"")),
       DidYouMean(*text, words));
  return std::nullopt;
}

std::optional<std::string> TableReader::ImagePath(std::string_view key) {
  std::optional<std::string> path = ImagePlace(key);
  if (path && path->size() > 1 && path->ends_with('/')) path->pop_back();
  return path;
}

std::optional<std::string> TableReader::ImagePlace(std::string_view key) {
  std::optional<std::string> path = String(key);
  if (!path) return std::nullopt;
  bool climbs = false;
  for (std::string_view part : Split(*path, '/')) climbs = climbs || part == "..";
  if (!path->starts_with('/') || climbs || path->find('\0') != std::string::npos) {
    Note(key,
         fmt::format("{} is \"{}\", expected an absolute path in the image", PathOf(key), *path));
    return std::nullopt;
  }
  return std::filesystem::path(*path).lexically_normal().string();
}

std::optional<std::string> TableReader::HostPath(std::string_view key) {
  const TomlValue* value = Get(key, Kind::kString);
  if (value == nullptr) return std::nullopt;
  if (value->text.empty()) {
    Note(key, fmt::format("{} is empty, expected a path", PathOf(key)));
    return std::nullopt;
  }
  return BesideFile(value->where.file, value->text);
}

}  // namespace imgbuild::specs
