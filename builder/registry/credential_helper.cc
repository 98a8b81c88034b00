#include "builder/registry/credential_helper.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "builder/host/program.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

// A user of this name marks the secret as a refresh token.
constexpr std::string_view kTokenUser = "<token>";

ProgramAnswer Ask(const std::string& program, const std::string& action, std::string input,
                  std::chrono::milliseconds patience) {
  try {
    return RunProgram(
        {.words = {program, action}, .input = std::move(input), .patience = patience});
  } catch (specs::Error& error) {
    throw std::move(error).Hint(
        "install the credential helper, or take it out of the file of credentials");
  }
}

specs::Error Failed(const std::string& program, const std::string& server, int status) {
  return specs::Error(fmt::format("the credential helper {} failed for {}", program, server))
      .Found(fmt::format("exit status {}", status));
}

void Tell(const std::string& helper, const std::string& action, const std::string& server,
          std::string input) {
  const std::string program = CredentialProgram(helper);
  const ProgramAnswer answer = Ask(program, action, std::move(input), std::chrono::minutes(2));
  if (answer.status == 0) return;
  // Its reason, by the protocol; what it was given to keep is no part of that.
  std::string_view said = specs::Trim(answer.output);
  said = said.substr(0, std::min<std::size_t>(said.find('\n'), 200));
  if (said.empty()) throw Failed(program, server, answer.status);
  throw Failed(program, server, answer.status).Found(std::string(said));
}

std::string RenderLogin(const nlohmann::ordered_json& document) {
  try {
    return document.dump() + "\n";
  } catch (const nlohmann::json::exception&) {
    throw specs::Error("a credential helper keeps no user or password that is not UTF-8")
        .Hint("have its file name no helper for this registry, or use another password");
  }
}

}  // namespace

std::string CredentialProgram(const std::string& helper) {
  if (helper.empty() || helper.find('/') != std::string::npos) {
    throw specs::Error(fmt::format("\"{}\" cannot be the name of a credential helper", helper));
  }
  return "docker-credential-" + helper;
}

std::optional<Credentials> AskCredentialHelper(const std::string& helper, const std::string& server,
                                               std::chrono::milliseconds patience) {
  const std::string program = CredentialProgram(helper);
  const ProgramAnswer answer = Ask(program, "get", server + "\n", patience);
  if (answer.status != 0) {
    // The protocol tells it by this sentence alone.
    if (answer.output.find("credentials not found") != std::string::npos) return std::nullopt;
    throw Failed(program, server, answer.status);
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
  if (credentials.user == kTokenUser) {
    credentials.identity_token = std::exchange(credentials.password, {});
    credentials.user.clear();
  }
  return credentials;
}

void KeepInCredentialHelper(const std::string& helper, const std::string& server,
                            const Credentials& credentials) {
  const bool token = !credentials.identity_token.empty();
  const specs::Secret& secret = token ? credentials.identity_token : credentials.password;
  const nlohmann::ordered_json document = {
      {"ServerURL", server},
      {"Username", token ? std::string(kTokenUser) : credentials.user},
      {"Secret", secret.Reveal()}};
  Tell(helper, "store", server, RenderLogin(document));
}

void EraseInCredentialHelper(const std::string& helper, const std::string& server) {
  Tell(helper, "erase", server, server + "\n");
}

}  // namespace imgbuild::builder
