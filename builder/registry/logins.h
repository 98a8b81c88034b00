// Keeping credentials for a registry, and forgetting them: in the file that logins are written to,
// or where that file and registries.conf say, by a credential helper.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "builder/registry/credential_finder.h"
#include "builder/registry/credentials.h"

namespace imgbuild::builder {

// Where they are kept: a file, or "docker-credential-NAME". `registry` may be a namespace of one,
// which helpers know only where the file names it. Throws Error where they cannot be kept.
std::string KeepLogin(const CredentialFinder& finder, const std::string& registry,
                      const Credentials& credentials);

struct ForgottenLogin {
  std::vector<std::string> from;  // files and programs that had credentials for the registry
  std::filesystem::path file;     // that logins are written to
  // Where the next command finds credentials all the same, or why that cannot be told; "" nowhere.
  std::string left;

  bool operator==(const ForgottenLogin&) const = default;
};

// Throws Error where they cannot be forgotten.
ForgottenLogin ForgetLogin(const CredentialFinder& finder, const std::string& registry);

// "logged out; removed from FILE" or what else there is to know, over several lines.
std::string RenderLogout(const ForgottenLogin& logout, const std::string& registry);

}  // namespace imgbuild::builder
