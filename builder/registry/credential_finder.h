// Which credentials go to which registry.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/host/environment.h"
#include "builder/registry/credentials.h"
#include "builder/registry/endpoint.h"

namespace imgbuild::builder {

// Stands for the files of credentials in registries.conf's `credential-helpers`.
inline constexpr std::string_view kAuthFiles = "containers-auth.json";

// In this order: IMGBUILD_REGISTRY_HOST_USERNAME and _PASSWORD (or _TOKEN, an identity token),
// where HOST is the registry in upper case with everything but letters and digits as "_"; then
// what registries.conf names in `credential-helpers`, by default the files of credentials, of which
// the first that has something counts: REGISTRY_AUTH_FILE alone where that is set, else
// $XDG_RUNTIME_DIR/containers/auth.json, $XDG_CONFIG_HOME/containers/auth.json,
// $DOCKER_CONFIG/config.json, ~/.docker/config.json.
class CredentialFinder {
 public:
  // `helpers` as RegistryConfig::CredentialHelpers gives them.
  CredentialFinder(Environment environment, std::vector<std::string> helpers)
      : environment_(std::move(environment)), helpers_(std::move(helpers)) {}

  // Empty credentials where there are none. Throws what AuthFile and AskCredentialHelper throw.
  Credentials Find(std::string_view registry, std::string_view repository) const;
  // Those for where it is, else those for what the user calls it.
  Credentials Find(const Endpoint& endpoint) const;

  // Programs, and kAuthFiles for the files, in the order they are asked.
  const std::vector<std::string>& helpers() const { return helpers_; }

  // In the order they are asked. They need not exist.
  std::vector<std::filesystem::path> Files() const;
  // The one that a login is written to.
  std::filesystem::path FileForLogin() const;

 private:
  std::optional<Credentials> FromEnvironment(std::string_view registry) const;
  std::optional<Credentials> FromFiles(std::string_view registry,
                                       std::string_view repository) const;

  Environment environment_;
  std::vector<std::string> helpers_;
};

}  // namespace imgbuild::builder
