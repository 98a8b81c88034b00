#include "builder/host/apt_sources.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "specs/base/text.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

using specs::Split;
using specs::SplitWords;
using specs::ToLower;
using specs::Trim;
using specs::WithoutSlash;

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  for (std::string_view word : SplitWords(text)) words.emplace_back(word);
  return words;
}

bool Contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// One stanza's fields that matter here, with continuation lines joined.
struct Stanza {
  std::string types, uris, suites, components, enabled, signed_by;

  std::string* Field(std::string_view name) {
    const std::string lower = ToLower(name);
    if (lower == "types") return &types;
    if (lower == "uris") return &uris;
    if (lower == "suites") return &suites;
    if (lower == "components") return &components;
    if (lower == "enabled") return &enabled;
    if (lower == "signed-by") return &signed_by;
    return nullptr;
  }
};

void AddStanza(const Stanza& stanza, std::string_view file, std::vector<AptSource>& sources) {
  const std::string enabled = ToLower(Trim(stanza.enabled));
  if (enabled == "no" || enabled == "false" || enabled == "0") return;
  if (!Contains(Words(stanza.types), "deb")) return;
  for (std::string_view uri : SplitWords(stanza.uris)) {
    sources.push_back({WithoutSlash(uri), Words(stanza.suites), Words(stanza.components),
                       std::string(file), stanza.signed_by});
  }
}

// "" without it.
std::string Option(std::string_view options, std::string_view name) {
  for (std::string_view word : SplitWords(options)) {
    if (word.starts_with(name)) return std::string(word.substr(name.size()));
  }
  return "";
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

std::vector<AptSource> ParseAptList(std::string_view text, std::string_view file) {
  std::vector<AptSource> sources;
  for (std::string_view line : Split(text, '\n')) {
    line = Trim(line.substr(0, line.find('#')));
    if (!line.starts_with("deb ") && !line.starts_with("deb\t")) continue;
    line = Trim(line.substr(3));
    std::string signed_by;
    if (line.starts_with('[')) {
      std::size_t end = line.find(']');
      if (end == std::string_view::npos) continue;
      signed_by = Option(line.substr(1, end - 1), "signed-by=");
      line = Trim(line.substr(end + 1));
    }
    std::vector<std::string> words = Words(line);
    if (words.size() < 2) continue;
    sources.push_back({WithoutSlash(words[0]),
                       {words[1]},
                       {words.begin() + 2, words.end()},
                       std::string(file),
                       std::move(signed_by)});
  }
  return sources;
}

std::vector<AptSource> ParseAptDeb822(std::string_view text, std::string_view file) {
  std::vector<AptSource> sources;
  Stanza stanza;
  std::string* field = nullptr;
  for (std::string_view line : Split(text, '\n')) {
    if (line.starts_with('#')) continue;
    if (Trim(line).empty()) {
      AddStanza(stanza, file, sources);
      stanza = {};
      field = nullptr;
      continue;
    }
    if (line.front() == ' ' || line.front() == '\t') {
      if (field != nullptr) field->append(" ").append(Trim(line));
      continue;
    }
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    field = stanza.Field(line.substr(0, colon));
    if (field != nullptr) *field = Trim(line.substr(colon + 1));
  }
  AddStanza(stanza, file, sources);
  return sources;
}

std::vector<AptSource> ReadAptSources(const std::filesystem::path& apt_directory) {
  std::vector<std::filesystem::path> files;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(apt_directory / "sources.list.d", ignored)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  files.insert(files.begin(), apt_directory / "sources.list");
  std::vector<AptSource> sources;
  for (const std::filesystem::path& path : files) {
    const std::string extension = path.extension();
    std::vector<AptSource> found;
    if (extension == ".list") found = ParseAptList(ReadFile(path), path.string());
    if (extension == ".sources") found = ParseAptDeb822(ReadFile(path), path.string());
    sources.insert(sources.end(), found.begin(), found.end());
  }
  return sources;
}

}  // namespace imgbuild::builder
