// Proving to one registry who is asking: no proof, Basic (RFC 7617), or Bearer tokens got from the
// server that the registry names (distribution, "Token Authentication Specification" and "OAuth2
// Token Authentication").
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "builder/net/http_client.h"
#include "builder/registry/challenge.h"
#include "builder/registry/credentials.h"

namespace imgbuild::builder {

// Trying again would not help.
class AccessRefused : public specs::Error {
 public:
  explicit AccessRefused(specs::Error error) : specs::Error(std::move(error)) {}
};

// It would, once the server has been left alone for as long as it asks: 0 where it does not.
class ServerBusy : public specs::Error {
 public:
  ServerBusy(specs::Error error, std::uint64_t asked_ms)
      : specs::Error(std::move(error)), asked_ms_(asked_ms) {}

  std::uint64_t asked_ms() const { return asked_ms_; }

 private:
  std::uint64_t asked_ms_;
};

// Thread-safe: transfers of one repository share one.
class Authenticator {
 public:
  // `registry_url` is scheme and host, `tls` what the registry is reached with. A server of tokens
  // is reached with it, too; one of another host is not shown the client's certificate. Borrows the
  // client.
  Authenticator(HttpClient& http, std::string registry_url, std::shared_ptr<const HttpTls> tls,
                Credentials credentials);

  // What to send with a request that needs `scope` ("repository:team/app:pull,push"); nullopt while
  // the registry has asked for nothing. A token is asked for as often as the request itself may be
  // (HttpRequest::max_tries): who tries that again does so with this. Throws what Renew throws,
  // where a token ran out.
  std::optional<HttpHeader> Header(const std::string& scope, int max_tries);

  // After a 401 to a request that carried `sent` (or nothing): makes the next Header() a better
  // one. Throws AccessRefused where there is nothing better: wrong or missing credentials, an
  // unknown scheme, a token server that refuses; ServerBusy where that server answers with a status
  // that may pass; any other Error where it cannot be reached.
  void Renew(const HttpResponse& refused, const std::optional<HttpHeader>& sent,
             const std::string& scope, int max_tries);

  // Whether the registry named the server of this URL when it asked for a login, as the realm or
  // the service: then it is a part of the registry, though nothing of ours goes there but what the
  // registry asked for.
  bool Vouches(std::string_view url);

  // With what the registry's own server is reached, or one of another host that it vouches for.
  std::shared_ptr<const HttpTls> TlsFor(std::string_view url) const;

 private:
  using Clock = std::chrono::steady_clock;

  struct Token {
    specs::Secret text;
    Clock::time_point expires;
  };

  std::optional<HttpHeader> HeaderLocked(const std::string& scope, int max_tries);
  Token FetchToken(const std::string& scope, int max_tries);
  HttpRequest TokenRequest(const std::string& scope) const;
  std::string Host() const;
  [[noreturn]] void Refuse(std::string_view reason) const;

  HttpClient& http_;
  const std::string registry_url_;
  const std::shared_ptr<const HttpTls> tls_;
  const Credentials credentials_;

  std::mutex mutex_;  // held while a token is fetched, so that one is fetched for all
  bool basic_ = false;
  std::optional<Challenge> bearer_;
  std::map<std::string, std::string> asked_;  // what the registry wants for a scope of ours
  std::map<std::string, Token> tokens_;       // by scope of ours
  std::set<std::string> named_;               // realms and services
};

}  // namespace imgbuild::builder
