// Reads one table of a spec: each value with its type checked, every problem collected.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/base/problems.h"
#include "specs/base/toml.h"
#include "specs/env/loader.h"

namespace imgbuild::specs {

// What all parts of the parser share while one spec is read.
struct SpecReading {
  const SpecRequest& request;
  Problems problems;
  SpecSources sources;
};

// A text and where it was written.
struct Placed {
  std::string text;
  SourcePosition where;
};

// Every getter: nullopt, or empty, where the key is missing or of a wrong type (which is noted).
// Keys that the table may not have are noted on construction.
class TableReader {
 public:
  // `path` as keys are named to users: "python.layers[0]"; `schema` as SpecTableOf has it.
  TableReader(const TomlValue& table, std::string path, std::string_view schema,
              SpecReading& reading);

  bool Has(std::string_view key) const { return table_.Find(key) != nullptr; }
  std::optional<std::string> String(std::string_view key);
  std::optional<std::int64_t> Integer(std::string_view key);
  std::optional<bool> Boolean(std::string_view key);
  // A string, or an array of strings; each with its place.
  std::vector<Placed> Strings(std::string_view key);
  std::vector<std::string> Texts(std::string_view key);
  // A table of strings.
  std::map<std::string, std::string> StringMap(std::string_view key);
  // A string or date.
  std::optional<std::string> Date(std::string_view key);
  // "30s", "500ms", "2min": milliseconds.
  std::optional<std::uint64_t> Duration(std::string_view key);
  // An integer of bytes, or "512MB", "4GiB".
  std::optional<std::uint64_t> Size(std::string_view key);
  // 0o644 or "0644".
  std::optional<std::uint32_t> Mode(std::string_view key);
  const TomlValue* Table(std::string_view key);
  std::vector<const TomlValue*> Tables(std::string_view key);

  // One of `words`, by its index.
  std::optional<std::size_t> Word(std::string_view key, const std::vector<std::string>& words);

  // An absolute path in the image, without "." and "..".
  std::optional<std::string> ImagePath(std::string_view key);
  // The same, but one that ends in a slash keeps it: it names a folder.
  std::optional<std::string> ImagePlace(std::string_view key);
  // A path on the host, relative to the file the value stands in, made absolute with it.
  std::optional<std::string> HostPath(std::string_view key);

  SourcePosition Where(std::string_view key) const;
  std::string PathOf(std::string_view key) const;
  void Note(std::string_view key, std::string message, std::string hint = "");
  void Note(const SourcePosition& where, std::string message, std::string hint = "");
  SpecReading& reading() { return reading_; }

 private:
  const TomlValue* Get(std::string_view key, TomlValue::Kind kind);
  void WrongType(const TomlValue& value, const std::string& path, std::string_view expected);

  const TomlValue& table_;
  std::string path_;
  SpecReading& reading_;
};

// `path` relative to the folder of `file`, "." and ".." resolved as text.
std::string BesideFile(std::string_view file, std::string_view path);

}  // namespace imgbuild::specs
