#include "builder/registry/credential_finder.h"

#include <cctype>

#include <fmt/format.h>

#include "builder/registry/auth_file.h"
#include "builder/registry/credential_helper.h"
#include "layers/io/file.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

std::string VariableName(std::string_view registry, std::string_view suffix) {
  std::string name = "IMGBUILD_REGISTRY_";
  for (char c : registry) {
    const auto byte = static_cast<unsigned char>(c);
    name += std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
  }
  name += suffix;
  return name;
}

}  // namespace

std::optional<Credentials> CredentialFinder::FromEnvironment(std::string_view registry) const {
  const std::string user_variable = VariableName(registry, "_USERNAME");
  const std::string token_variable = VariableName(registry, "_TOKEN");
  if (auto token = environment_.Get(token_variable)) {
    return Credentials{.user = "",
                       .password = {},
                       .identity_token = specs::Secret(*std::move(token)),
                       .origin = token_variable};
  }
  auto user = environment_.Get(user_variable);
  if (!user) return std::nullopt;
  return Credentials{
      .user = *std::move(user),
      .password = specs::Secret(environment_.Get(VariableName(registry, "_PASSWORD")).value_or("")),
      .identity_token = {},
      .origin = user_variable};
}

std::vector<fs::path> CredentialFinder::Files() const {
  if (auto only = environment_.Get("REGISTRY_AUTH_FILE")) return {*only};
  std::vector<fs::path> files;
  const auto home = environment_.Get("HOME");
  if (auto runtime = environment_.Get("XDG_RUNTIME_DIR")) {
    files.push_back(fs::path(*runtime) / "containers/auth.json");
  }
  if (auto config = environment_.Get("XDG_CONFIG_HOME")) {
    files.push_back(fs::path(*config) / "containers/auth.json");
  } else if (home) {
    files.push_back(fs::path(*home) / ".config/containers/auth.json");
  }
  if (auto docker = environment_.Get("DOCKER_CONFIG")) {
    files.push_back(fs::path(*docker) / "config.json");
  } else if (home) {
    files.push_back(fs::path(*home) / ".docker/config.json");
  }
  return files;
}

fs::path CredentialFinder::FileForLogin() const {
  const std::vector<fs::path> files = Files();
  if (files.empty()) {
    throw specs::Error("there is no place for a file of credentials")
        .Hint("set HOME, XDG_CONFIG_HOME or REGISTRY_AUTH_FILE");
  }
  return files.front();
}

std::optional<Credentials> CredentialFinder::FromFiles(std::string_view registry,
                                                       std::string_view repository) const {
  for (const fs::path& path : Files()) {
    std::error_code ignored;
    if (!fs::exists(path, ignored)) continue;
    const AuthFile file = AuthFile::Parse(layers::ReadFile(path, kLargestAuthFile), path.string());
    std::optional<AuthEntry> entry = file.Find(registry, repository);
    if (!entry) continue;
    if (entry->credentials) return entry->credentials;
    if (auto found = AskCredentialHelper(entry->helper, entry->server)) return found;
  }
  return std::nullopt;
}

Credentials CredentialFinder::Find(std::string_view registry, std::string_view repository) const {
  if (auto found = FromEnvironment(registry)) return *std::move(found);
  for (const std::string& helper : helpers_) {
    auto found = helper == kAuthFiles ? FromFiles(registry, repository)
                                      : AskCredentialHelper(helper, std::string(registry));
    if (found) return *std::move(found);
  }
  return {};
}

Credentials CredentialFinder::Find(const Endpoint& endpoint) const {
  Credentials found = Find(endpoint.host, endpoint.repository);
  if (!found.empty() || endpoint.written.empty()) return found;
  const std::string_view written = endpoint.written;
  const std::size_t slash = written.find('/');
  return Find(written.substr(0, slash),
              slash == std::string_view::npos ? "" : written.substr(slash + 1));
}

}  // namespace imgbuild::builder
