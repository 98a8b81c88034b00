#include <algorithm>

#include <fmt/core.h>

#include "specs/base/text.h"
#include "specs/env/lock.h"
#include "specs/env/requirements_file.h"
#include "specs/env/spec_reader.h"
#include "specs/python/name.h"
#include "specs/python/requirement.h"

namespace imgbuild::specs {
namespace {

// The first layer, whose packages stand in [python] itself.
constexpr std::string_view kFirstLayer = "python";

void AddLayer(std::string name, const std::vector<Placed>& packages, PythonSection& section,
              SpecReading& reading) {
  PythonLayer layer;
  layer.name = std::move(name);
  std::vector<SourcePosition> places;
  for (const Placed& package : packages) {
    std::optional<std::string> requirement = CheckRequirement(package, reading);
    if (!requirement) continue;
    auto& known = layer.packages;
    if (std::find(known.begin(), known.end(), *requirement) != known.end()) continue;
    known.push_back(*std::move(requirement));
    places.push_back(package.where);
  }
  section.layers.push_back(std::move(layer));
  reading.sources.requirements.push_back(std::move(places));
}

bool IsLayerName(std::string_view name) {
  if (name.empty() || name.size() > 40 || name[0] < 'a' || name[0] > 'z') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

void ReadLayers(TableReader& python, PythonSection& section) {
  static const std::vector<std::string> kReserved = {"base", "cuda", "files", "state", "python"};
  std::size_t index = 0;
  for (const TomlValue* table : python.Tables("layers")) {
    TableReader reader(*table, fmt::format("python.layers[{}]", index++), "python.layers",
                       python.reading());
    std::string name = reader.String("name").value_or("");
    bool taken = std::any_of(section.layers.begin(), section.layers.end(),
                             [&](const PythonLayer& layer) { return layer.name == name; });
    if (!reader.Has("name")) {
      reader.Note("name", "a layer needs a name", "for example name = \"web\"");
    } else if (!IsLayerName(name)) {
      reader.Note("name",
                  fmt::format("\"{}\" is no layer name, expected lower-case letters, digits "
                              "and \"-\"",
                              name));
    } else if (taken || std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end()) {
      reader.Note("name", fmt::format("the layer name \"{}\" is taken", name));
    }
    AddLayer(name, reader.Strings("packages"), section, python.reading());
  }
}

void ReadIndexes(TableReader& python, PythonSection& section) {
  std::size_t number = 0;
  for (const TomlValue* table : python.Tables("indexes")) {
    TableReader reader(*table, fmt::format("python.indexes[{}]", number++), "python.indexes",
                       python.reading());
    PythonIndex index;
    index.name = reader.String("name").value_or("");
    bool taken = index.name == "default" || index.name == kLocalSource ||
                 index.name == kArtifactSource ||
                 std::any_of(section.indexes.begin(), section.indexes.end(),
                             [&](const PythonIndex& other) { return other.name == index.name; });
    if (!IsLayerName(index.name) || taken) {
      reader.Note("name", fmt::format("an index needs a name of its own in lower-case letters, "
                                      "digits and \"-\"; found \"{}\"",
                                      index.name));
    }
    index.url = ReadSourceUrl(reader, "url");
    for (const Placed& package : reader.Strings("packages")) {
      if (IsValidName(package.text)) {
        index.packages.push_back(NormalizeName(package.text));
      } else {
        reader.Note(package.where, fmt::format("\"{}\" is no package name", package.text));
      }
    }
    section.indexes.push_back(std::move(index));
  }
}

// A date, or a date and time, as RFC 3339 writes them; a local time is taken as UTC.
std::optional<std::string> NormalDate(std::string text) {
  static constexpr std::string_view kDate = "dddd-dd-dd";
  static constexpr std::string_view kTime = "dddd-dd-ddTdd:dd:dd";
  auto fits = [](std::string_view value, std::string_view pattern) {
    return value.size() == pattern.size() &&
           std::equal(value.begin(), value.end(), pattern.begin(),
                      [](char c, char p) { return p == 'd' ? c >= '0' && c <= '9' : c == p; });
  };
  if (text.size() > 10 && (text[10] == ' ' || text[10] == 't')) text[10] = 'T';
  std::string_view value = text;
  bool in_range = true;
  if (value.size() >= 10) {
    auto month = ParseUnsigned(value.substr(5, 2));
    auto day = ParseUnsigned(value.substr(8, 2));
    in_range = month && day && *month >= 1 && *month <= 12 && *day >= 1 && *day <= 31;
  }
  if (!in_range) return std::nullopt;
  if (fits(value, kDate)) return text;
  if (value.ends_with("Z") || value.ends_with("z")) value.remove_suffix(1);
  if (value.ends_with("+00:00")) value.remove_suffix(6);
  if (fits(value, kTime)) return std::string(value) + "Z";
  return std::nullopt;
}

void ReadConstraints(TableReader& python, RequirementLists& lists) {
  for (const Placed& entry : python.Strings("constraints")) {
    if (entry.text.ends_with(".txt") || entry.text.ends_with(".in")) {
      ReadConstraintsFile(BesideFile(entry.where.file, entry.text), entry.where, python.reading(),
                          lists);
    } else {
      lists.constraints.push_back(entry);
    }
  }
}

void AddConstraints(const std::vector<Placed>& constraints, PythonSection& section,
                    SpecReading& reading) {
  for (const Placed& constraint : constraints) {
    std::optional<std::string> text = CheckRequirement(constraint, reading);
    if (!text) continue;
    auto& known = section.constraints;
    if (std::find(known.begin(), known.end(), *text) != known.end()) continue;
    known.push_back(*std::move(text));
    reading.sources.constraints.push_back(constraint.where);
  }
}

}  // namespace

PythonSection ReadPython(const TomlValue* table, SpecReading& reading) {
  static const TomlValue kEmpty;
  TableReader python(table != nullptr ? *table : kEmpty, "python", "python", reading);
  PythonSection section;
  section.version = python.String("version").value_or(section.version);
  RequirementLists lists;
  lists.packages = python.Strings("packages");
  for (const Placed& file : python.Strings("requirements")) {
    ReadRequirementsFile(BesideFile(file.where.file, file.text), file.where, reading, lists);
  }
  for (const Placed& folder : python.Strings("pyproject")) {
    ReadPyproject(BesideFile(folder.where.file, folder.text), folder.where, section.version,
                  reading, lists);
  }
  AddLayer(std::string(kFirstLayer), lists.packages, section, reading);
  ReadLayers(python, section);
  ReadConstraints(python, lists);
  AddConstraints(lists.constraints, section, reading);
  if (auto compile = python.Word("compile", {"default", "all", "none"})) {
    section.compile = static_cast<Compile>(*compile);
  }
  if (auto date = python.Date("exclude-newer")) {
    section.exclude_newer = NormalDate(*date);
    if (!section.exclude_newer) {
      python.Note("exclude-newer",
                  fmt::format("python.exclude-newer is \"{}\", expected a date such as "
                              "\"2026-11-01\" or a time in UTC",
                              *date));
    }
  }
  if (auto prereleases = python.Word("prereleases", {"if-necessary-or-explicit", "allow"})) {
    section.allow_prereleases = *prereleases == 1;
  }
  ReadIndexes(python, section);
  return section;
}

}  // namespace imgbuild::specs
