// Keeping credentials for a registry, and forgetting them, in the file that logins are written to.
#pragma once

#include <filesystem>
#include <string>

#include "builder/registry/credential_finder.h"
#include "builder/registry/credentials.h"

namespace imgbuild::builder {

// The file they are kept in. Throws Error where it cannot be written.
std::filesystem::path KeepLogin(const CredentialFinder& finder, const std::string& registry,
                                const Credentials& credentials);

struct ForgottenLogin {
  std::filesystem::path file;
  bool was_there = false;  // credentials for the registry, in that file
  // Where the next command finds credentials all the same, or why that cannot be told; "" nowhere.
  std::string left;

  bool operator==(const ForgottenLogin&) const = default;
};

// Throws Error where the file cannot be read or written.
ForgottenLogin ForgetLogin(const CredentialFinder& finder, const std::string& registry);

// "logged out; removed from FILE" or what else there is to know, over several lines.
std::string RenderLogout(const ForgottenLogin& logout, const std::string& registry);

}  // namespace imgbuild::builder
