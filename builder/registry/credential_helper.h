// Programs that keep credentials: docker-credential-NAME, which gets a server's name on its
// standard input and answers JSON (docker-credential-helpers' protocol).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "builder/registry/credentials.h"

namespace imgbuild::builder {

// What the helper has for `server`; nullopt where it says that it has none. Throws Error where the
// program is missing, fails, answers something else or does not within `patience`, in which it may
// ask the user for a passphrase; never shows its answer.
std::optional<Credentials> AskCredentialHelper(
    const std::string& helper, const std::string& server,
    std::chrono::milliseconds patience = std::chrono::minutes(2));

}  // namespace imgbuild::builder
