// Configurations of images for any platform, by any tool (OCI image-spec v1.1, config.md; docker's
// images have the same form), for looking at: what is written is the bytes as they are.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "specs/base/digest.h"
#include "specs/oci/image_config.h"

namespace imgbuild::specs {

struct ForeignConfig {
  std::string platform;  // "linux/arm64/v8"
  std::string created;
  std::string author;
  std::string user;
  std::vector<std::string> exposed_ports;  // "8888/tcp", in order of their text
  std::vector<std::string> env;            // "NAME=VALUE"
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::vector<std::string> volumes;
  std::string workdir;
  std::map<std::string, std::string> labels;
  std::string stop_signal;
  std::vector<Sha256> diff_ids;  // from the bottom
  std::vector<HistoryEntry> history;

  bool operator==(const ForeignConfig&) const = default;
};

// Members that are missing or null are empty. Throws Error naming `what` for anything that is no
// such document.
ForeignConfig ParseForeignConfig(std::string_view text, std::string_view what);

// Whether a blob of this media type is such a document; artifacts have others.
bool IsConfigType(std::string_view media_type);

}  // namespace imgbuild::specs
