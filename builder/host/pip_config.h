// The host's pip configuration, as a place to learn its package index from (pip user guide,
// "Configuration").
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/host/environment.h"

namespace imgbuild::builder {

struct PipConfig {
  std::optional<std::string> index_url;
  std::vector<std::string> extra_index_urls;
  std::string index_file;  // where index_url was read
  std::string extra_file;  // where extra_index_urls were read

  bool operator==(const PipConfig&) const = default;
};

// Reads `index-url` and `extra-index-url` of sections [global] and [install] (which wins) over what
// `config` has.
void MergePipConfig(std::string_view text, std::string_view file, PipConfig& config);

// Global, user and $PIP_CONFIG_FILE files, later ones over earlier ones, as pip does.
// PIP_CONFIG_FILE=/dev/null turns all of them off.
PipConfig ReadPipConfig(const Environment& environment);

}  // namespace imgbuild::builder
