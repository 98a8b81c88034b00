// Where a registry is reached, and how.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "builder/net/http_client.h"

namespace imgbuild::builder {

// kFallback: TLS without checking the certificate, else plain HTTP, as `insecure = true` means in
// registries.conf.
enum class Transport { kTls, kFallback };

struct Endpoint {
  std::string host;        // "registry.example:5000"
  std::string repository;  // there; a mirror may keep it below a path of its own
  Transport transport = Transport::kTls;
  std::shared_ptr<const HttpTls> tls;  // null: the client's settings
  // What the user calls it, where registries.conf has it at another place; "" for mirrors, which
  // are others'.
  std::string written = {};

  bool operator==(const Endpoint&) const = default;
};

}  // namespace imgbuild::builder
