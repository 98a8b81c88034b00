#include "builder/host/pip_config.h"

#include <fstream>
#include <iterator>

#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

struct Section {
  std::string index_url;
  std::string extra_index_url;  // white-space separated
};

}  // namespace

void MergePipConfig(std::string_view text, std::string_view file, PipConfig& config) {
  Section global, install;
  Section* section = nullptr;
  std::string* value = nullptr;
  for (std::string_view line : specs::Split(text, '\n')) {
    const std::string_view trimmed = specs::Trim(line);
    if (trimmed.empty() || trimmed.front() == '#' || trimmed.front() == ';') continue;
    if (trimmed.front() == '[') {
      section = trimmed == "[global]" ? &global : trimmed == "[install]" ? &install : nullptr;
      value = nullptr;
      continue;
    }
    if (line.front() == ' ' || line.front() == '\t') {
      if (value != nullptr) value->append(" ").append(trimmed);
      continue;
    }
    value = nullptr;
    const std::size_t equals = line.find_first_of("=:");
    if (section == nullptr || equals == std::string_view::npos) continue;
    std::string key = specs::ToLower(specs::Trim(line.substr(0, equals)));
    for (char& c : key) c = c == '_' ? '-' : c;
    if (key == "index-url") value = &section->index_url;
    if (key == "extra-index-url") value = &section->extra_index_url;
    if (value != nullptr) *value = specs::Trim(line.substr(equals + 1));
  }
  for (const Section* from : {&global, &install}) {
    if (!from->index_url.empty()) {
      config.index_url = from->index_url;
      config.index_file = file;
    }
    if (!from->extra_index_url.empty()) {
      config.extra_index_urls.clear();
      for (std::string_view url : specs::SplitWords(from->extra_index_url)) {
        config.extra_index_urls.emplace_back(url);
      }
      config.extra_file = file;
    }
  }
}

PipConfig ReadPipConfig(const Environment& environment) {
  PipConfig config;
  const std::optional<std::string> given = environment.Get("PIP_CONFIG_FILE");
  if (given == "/dev/null") return config;
  std::vector<std::filesystem::path> files;
  if (auto directories = environment.Get("XDG_CONFIG_DIRS")) {
    for (std::string_view directory : specs::Split(*directories, ':')) {
      files.push_back(std::filesystem::path(directory) / "pip/pip.conf");
    }
  } else {
    files.emplace_back("/etc/xdg/pip/pip.conf");
  }
  files.emplace_back("/etc/pip.conf");
  if (auto home = environment.Get("HOME")) {
    files.push_back(std::filesystem::path(*home) / ".pip/pip.conf");
    const std::string config_home = environment.Get("XDG_CONFIG_HOME").value_or(*home + "/.config");
    files.push_back(std::filesystem::path(config_home) / "pip/pip.conf");
  }
  if (given) files.emplace_back(*given);
  for (const std::filesystem::path& file : files) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) continue;
    MergePipConfig(std::string{std::istreambuf_iterator<char>(stream), {}}, file.string(), config);
  }
  return config;
}

}  // namespace imgbuild::builder
