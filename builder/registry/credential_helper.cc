#include "builder/registry/credential_helper.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "builder/host/program.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

// What `program` says of `server`.
ProgramAnswer Ask(const std::string& program, const std::string& server,
                  std::chrono::milliseconds patience) {
  try {
    return RunProgram({.words = {program, "get"}, .input = server + "\n", .patience = patience});
  } catch (specs::Error& error) {
    throw std::move(error).Hint(
        "install the credential helper, or take it out of the file of credentials");
  }
}

}  // namespace

std::optional<Credentials> AskCredentialHelper(const std::string& helper, const std::string& server,
                                               std::chrono::milliseconds patience) {
  if (helper.empty() || helper.find('/') != std::string::npos) {
    throw specs::Error(fmt::format("\"{}\" cannot be the name of a credential helper", helper));
  }
  const std::string program = "docker-credential-" + helper;
  const ProgramAnswer answer = Ask(program, server, patience);
  if (answer.status != 0) {
    // The protocol tells it by this sentence alone.
    if (answer.output.find("credentials not found") != std::string::npos) return std::nullopt;
    throw specs::Error(fmt::format("the credential helper {} failed for {}", program, server))
        .Found(fmt::format("exit status {}", answer.status));
  }
  const auto document = nlohmann::json::parse(answer.output, nullptr, /*allow_exceptions=*/false);
  auto text = [&](const char* key) {
    const auto found = document.is_object() ? document.find(key) : document.end();
    return found != document.end() && found->is_string() ? found->get<std::string>() : "";
  };
  Credentials credentials{.user = text("Username"),
                          .password = specs::Secret(text("Secret")),
                          .identity_token = {},
                          .origin = program};
  if (credentials.user.empty() && credentials.password.empty()) {
    throw specs::Error(
        fmt::format("the credential helper {} gave no credentials for {}", program, server))
        .Expected("JSON with \"Username\" and \"Secret\"");
  }
  // A user of this name marks the secret as a refresh token.
  if (credentials.user == "<token>") {
    credentials.identity_token = std::exchange(credentials.password, {});
    credentials.user.clear();
  }
  return credentials;
}

}  // namespace imgbuild::builder
