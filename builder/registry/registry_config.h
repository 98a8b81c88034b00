// What the machine says of registries: registries.conf (containers-registries.conf(5), version 2)
// and certs.d (containers-certs.d(5)).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/host/environment.h"
#include "builder/registry/endpoint.h"

namespace imgbuild::builder {

// Which references may be read from a mirror.
enum class MirrorUse { kAll, kDigestOnly, kTagOnly };

struct RegistryMirror {
  std::string location;
  Transport transport = Transport::kTls;
  MirrorUse use = MirrorUse::kAll;

  bool operator==(const RegistryMirror&) const = default;
};

// One [[registry]] table.
struct RegistryRule {
  std::string prefix;    // what references it is for: "registry.example/team", "*.example"
  std::string location;  // what the prefix is replaced by; "" for itself
  Transport transport = Transport::kTls;
  bool blocked = false;
  std::vector<RegistryMirror> mirrors;

  bool operator==(const RegistryRule&) const = default;
};

// What one file says.
struct RegistriesConf {
  std::vector<RegistryRule> rules;
  // Which programs have credentials, in order, "containers-auth.json" for the files of credentials;
  // nullopt where the file does not say.
  std::optional<std::vector<std::string>> credential_helpers;

  bool operator==(const RegistriesConf&) const = default;
};

// How a repository's manifest is asked for.
enum class ReadBy { kTag, kDigest };

class RegistryConfig {
 public:
  RegistryConfig() = default;

  // Throws Error (kUsage) with file:line:column for what is not in the form of version 2. Keys that
  // do not concern us are passed over.
  static RegistriesConf Parse(std::string_view text, std::string_view file);

  // $CONTAINERS_REGISTRIES_CONF alone where it is set, else the user's, else the system's file, and
  // the .conf files of the .d folders after it; certs.d of the user and the system.
  static RegistryConfig OfHost(const Environment& environment);

  explicit RegistryConfig(RegistriesConf conf, std::vector<std::filesystem::path> certificates = {})
      : conf_(std::move(conf)), certificates_(std::move(certificates)) {}

  // Where to read the repository from: mirrors that are for it, in order, then the registry itself.
  // Throws Error where a rule blocks it.
  std::vector<Endpoint> ForReading(std::string_view registry, std::string_view repository,
                                   ReadBy by) const;
  // Mirrors are never written to. Without a repository: the registry as a whole, or a namespace,
  // where `registry` is "registry.example/team".
  Endpoint ForWriting(std::string_view registry, std::string_view repository) const;

  // A server that a registry sends requests on to, "storage.example:9000": its certificates, and
  // whether it is insecure. It is no registry itself: nothing is replaced or blocked.
  Endpoint OfServer(std::string_view server) const;

  // "containers-auth.json" alone where no file says otherwise.
  std::vector<std::string> CredentialHelpers() const;

 private:
  const RegistryRule* RuleFor(const std::string& name) const;
  Endpoint At(const std::string& name, Transport transport) const;

  RegistriesConf conf_;
  std::vector<std::filesystem::path> certificates_;  // folders with one for each host
};

}  // namespace imgbuild::builder
