// Image configurations (OCI image-spec v1.1, config.md).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/base/digest.h"
#include "specs/oci/platform.h"

namespace imgbuild::specs {

struct HistoryEntry {
  std::string created_by;
  std::string comment;
  bool empty_layer = false;

  bool operator==(const HistoryEntry&) const = default;
};

// How engines ask whether a container is well. The specification reserves the member for those who
// convert between formats: docker runs it, podman does from docker's archives alone.
struct HealthCheck {
  std::vector<std::string> command;  // run as it is, without a shell
  std::uint64_t interval_s = 30;
  std::uint64_t timeout_s = 10;
  std::uint64_t start_s = 30;  // failures in this time do not count

  bool operator==(const HealthCheck&) const = default;
};

struct ImageConfig {
  Platform platform;
  std::string created;  // RFC 3339; of the image and of each history entry
  std::string user;
  std::vector<std::uint32_t> exposed_ports;              // TCP, ascending
  std::vector<std::pair<std::string, std::string>> env;  // in order
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::string workdir;
  std::map<std::string, std::string> labels;
  std::string stop_signal;
  std::optional<HealthCheck> health;
  std::vector<Sha256> diff_ids;  // from the bottom
  std::vector<HistoryEntry> history;

  bool operator==(const ImageConfig&) const = default;
};

// Fixed key order and no optional white space. ParseImageConfig(RenderImageConfig(c)) == c.
std::string RenderImageConfig(const ImageConfig& config);

// Passes over what it does not know; throws Error naming `what` for anything that is no
// configuration of a linux/amd64 or linux/arm64 image, or not within the bounds of json_document.h.
ImageConfig ParseImageConfig(std::string_view text, std::string_view what);

}  // namespace imgbuild::specs
