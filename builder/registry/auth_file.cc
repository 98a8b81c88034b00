#include "builder/registry/auth_file.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "specs/base/base64.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using Json = nlohmann::ordered_json;

Json ParseObject(std::string_view text, std::string_view file) {
  if (specs::Trim(text).empty()) return Json::object();
  Json document = text.size() > kLargestAuthFile
                      ? Json(Json::value_t::discarded)
                      : Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (document.is_object()) return document;
  throw specs::Error(specs::ErrorKind::kUsage,
                     fmt::format("{} is no file of registry credentials", file))
      .Expected("a JSON object with \"auths\", as docker and podman write it")
      .Hint("log in again with imgbuild login, podman login or docker login");
}

// "https://registry.example/v1/" counts as "registry.example".
std::string HostOf(std::string_view key) {
  for (std::string_view scheme : {"https://", "http://"}) {
    if (!key.starts_with(scheme)) continue;
    key.remove_prefix(scheme.size());
    return std::string(key.substr(0, key.find('/')));
  }
  return std::string(key);
}

std::string TextAt(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

Credentials ReadEntry(const Json& entry, const std::string& key, std::string_view file) {
  Credentials credentials;
  credentials.origin = file;
  credentials.user = TextAt(entry, "username");
  credentials.password = specs::Secret(TextAt(entry, "password"));
  credentials.identity_token = specs::Secret(TextAt(entry, "identitytoken"));
  const std::string auth = TextAt(entry, "auth");
  if (auth.empty()) return credentials;
  const std::optional<std::string> plain = specs::Base64Decode(auth);
  const std::size_t colon = plain ? plain->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    throw specs::Error(specs::ErrorKind::kUsage,
                       fmt::format("{}: the credentials of {} cannot be read", file, key))
        .Expected("\"auth\" with the base64 of user:password")
        .Hint("log in again with imgbuild login " + key);
  }
  credentials.user = plain->substr(0, colon);
  std::string password = plain->substr(colon + 1);
  while (password.ends_with('\0')) password.pop_back();  // as old versions of docker padded it
  credentials.password = specs::Secret(std::move(password));
  return credentials;
}

}  // namespace

AuthFile AuthFile::Parse(std::string_view text, std::string_view file) {
  const Json document = ParseObject(text, file);
  AuthFile result;
  if (const auto auths = document.find("auths"); auths != document.end() && auths->is_object()) {
    for (const auto& [key, entry] : auths->items()) {
      if (!entry.is_object()) continue;
      result.keys_.emplace(HostOf(key), key);
      try {
        Credentials credentials = ReadEntry(entry, key, file);
        if (!credentials.empty()) result.auths_.emplace(HostOf(key), std::move(credentials));
      } catch (const specs::Error& error) {
        result.broken_.emplace(HostOf(key), error);  // a login takes its place
      }
    }
  }
  if (const auto helpers = document.find("credHelpers");
      helpers != document.end() && helpers->is_object()) {
    for (const auto& [key, helper] : helpers->items()) {
      if (helper.is_string()) result.helpers_.emplace(HostOf(key), helper.get<std::string>());
    }
  }
  result.store_ = TextAt(document, "credsStore");
  return result;
}

std::optional<AuthEntry> AuthFile::Find(std::string_view registry,
                                        std::string_view repository) const {
  std::string key = fmt::format("{}/{}", registry, repository);
  for (;;) {
    if (const auto helper = helpers_.find(key); helper != helpers_.end()) {
      return AuthEntry{.credentials = {}, .helper = helper->second, .server = key};
    }
    if (const auto broken = broken_.find(key); broken != broken_.end()) throw broken->second;
    if (const auto found = auths_.find(key); found != auths_.end()) {
      return AuthEntry{.credentials = found->second, .helper = "", .server = key};
    }
    const std::size_t slash = key.rfind('/');
    if (slash == std::string::npos) break;
    key.resize(slash);
  }
  if (store_.empty()) return std::nullopt;
  return InStore(std::string(registry));
}

AuthEntry AuthFile::InStore(const std::string& registry) const {
  const auto written = keys_.find(registry);
  return {.credentials = {},
          .helper = store_,
          .server = written == keys_.end() ? registry : written->second};
}

std::optional<AuthEntry> AuthFile::HelperFor(const std::string& key) const {
  if (const auto helper = helpers_.find(key); helper != helpers_.end()) {
    return AuthEntry{.credentials = {}, .helper = helper->second, .server = key};
  }
  if (store_.empty() || key.find('/') != std::string::npos) return std::nullopt;
  return InStore(key);
}

std::string AuthFile::With(std::string_view text, std::string_view file, const std::string& key,
                           const Credentials& credentials) {
  Json document = ParseObject(text, file);
  Json& auths = document["auths"];
  if (!auths.is_object()) auths = Json::object();
  auths[key] = {
      {"auth", specs::Base64Encode(credentials.user + ":" + credentials.password.Reveal())}};
  return document.dump(2) + "\n";
}

std::optional<std::string> AuthFile::Without(std::string_view text, std::string_view file,
                                             const std::string& key) {
  Json document = ParseObject(text, file);
  const auto auths = document.find("auths");
  if (auths == document.end() || !auths->is_object()) return std::nullopt;
  std::vector<std::string> same;
  for (const auto& [written, entry] : auths->items()) {
    if (HostOf(written) == key) same.push_back(written);
  }
  if (same.empty()) return std::nullopt;
  for (const std::string& written : same) auths->erase(written);
  return document.dump(2) + "\n";
}

}  // namespace imgbuild::builder
