// Files of credentials as docker, podman, skopeo and buildah keep them (containers-auth.json(5)).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/registry/credentials.h"
#include "specs/base/error.h"

namespace imgbuild::builder {

inline constexpr std::size_t kLargestAuthFile = 1u << 20;  // bytes

// What a file says of one repository.
struct AuthEntry {
  std::optional<Credentials> credentials;  // that stand in the file itself
  std::string helper;                      // else the program docker-credential-HELPER has them
  std::string server;                      // the key to ask it for
};

class AuthFile {
 public:
  // Throws Error naming `file` for what is not in this form. Never shows what is in it.
  static AuthFile Parse(std::string_view text, std::string_view file);

  // The most specific entry for the repository "registry.example:5000/team/app": the whole name,
  // then each namespace above it, then the registry. Keys that are URLs, as docker writes them,
  // count as their host. Entries of `credHelpers` go before `auths`, `credsStore` after them.
  // Throws Error where the entry cannot be read.
  std::optional<AuthEntry> Find(std::string_view registry, std::string_view repository) const;

  // Which helper keeps the credentials of `key`, a registry or a namespace of one; nullopt where
  // they stand in the file itself. A helper for all (`credsStore`) knows registries alone.
  std::optional<AuthEntry> HelperFor(const std::string& key) const;

  // Whether credentials of exactly that registry or namespace stand in the file itself.
  bool HasOwn(const std::string& key) const {
    return auths_.contains(key) || broken_.contains(key);
  }

  // The file's text with credentials for `key` set; all else is kept.
  static std::string With(std::string_view text, std::string_view file, const std::string& key,
                          const Credentials& credentials);
  // The same without them, however the key is written; nullopt where there are none.
  static std::optional<std::string> Without(std::string_view text, std::string_view file,
                                            const std::string& key);

 private:
  AuthEntry InStore(const std::string& registry) const;

  std::map<std::string, Credentials> auths_;
  std::map<std::string, specs::Error> broken_;  // by host: credentials that cannot be read
  std::map<std::string, std::string> helpers_;
  std::string store_;
  std::map<std::string, std::string> keys_;  // by host, as they are written: helpers know those
};

}  // namespace imgbuild::builder
