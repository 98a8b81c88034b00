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

// Has the helper keep them for `server`, in place of what it had. Throws Error as above.
void KeepInCredentialHelper(const std::string& helper, const std::string& server,
                            const Credentials& credentials);

// Has it forget what it has for `server`. Throws Error as above.
void EraseInCredentialHelper(const std::string& helper, const std::string& server);

// "docker-credential-HELPER". Throws Error for a name that leads elsewhere.
std::string CredentialProgram(const std::string& helper);

}  // namespace imgbuild::builder
