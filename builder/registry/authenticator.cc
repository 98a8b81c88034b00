#include "builder/registry/authenticator.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "builder/net/retry.h"
#include "specs/base/base64.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::PercentEncode;

constexpr std::uint64_t kLargestAnswer = 1u << 20;
// What the specification says where the server names no time, and how long before its end a token
// is not trusted any more.
constexpr std::chrono::seconds kDefaultLife{60};
constexpr std::chrono::seconds kMargin{10};

std::string ParameterOf(const Challenge& challenge, const char* name) {
  const auto found = challenge.parameters.find(name);
  return found == challenge.parameters.end() ? "" : found->second;
}

std::string BasicValue(const Credentials& credentials) {
  return "Basic " + specs::Base64Encode(credentials.user + ":" + credentials.password.Reveal());
}

std::vector<Challenge> ChallengesOf(const HttpResponse& refused) {
  std::vector<Challenge> challenges;
  for (std::string_view header : refused.AllHeaders("WWW-Authenticate")) {
    for (Challenge& challenge : ParseChallenges(header)) {
      challenges.push_back(std::move(challenge));
    }
  }
  return challenges;
}

// What the request needs, and what the registry says that it needs.
std::vector<std::string> Scopes(const std::string& scope, const std::string& asked) {
  std::vector<std::string> scopes;
  for (const std::string& list : {scope, asked}) {
    for (std::string_view one : specs::SplitWords(list)) {
      if (std::ranges::find(scopes, one) == scopes.end()) scopes.emplace_back(one);
    }
  }
  return scopes;
}

}  // namespace

Authenticator::Authenticator(HttpClient& http, std::string registry_url,
                             std::shared_ptr<const HttpTls> tls, Credentials credentials)
    : http_(http),
      registry_url_(std::move(registry_url)),
      tls_(std::move(tls)),
      credentials_(std::move(credentials)) {}

std::optional<HttpHeader> Authenticator::Header(const std::string& scope, int max_tries) {
  std::lock_guard lock(mutex_);
  return HeaderLocked(scope, max_tries);
}

std::optional<HttpHeader> Authenticator::HeaderLocked(const std::string& scope, int max_tries) {
  if (basic_) return HttpHeader{"Authorization", BasicValue(credentials_)};
  if (!bearer_) return std::nullopt;
  auto token = tokens_.find(scope);
  if (token == tokens_.end() || token->second.expires <= Clock::now()) {
    token = tokens_.insert_or_assign(scope, FetchToken(scope, max_tries)).first;
  }
  return HttpHeader{"Authorization", "Bearer " + token->second.text.Reveal()};
}

void Authenticator::Renew(const HttpResponse& refused, const std::optional<HttpHeader>& sent,
                          const std::string& scope, int max_tries) {
  std::lock_guard lock(mutex_);
  // Another transfer may have found something better meanwhile.
  if (basic_ || bearer_) {
    const std::optional<HttpHeader> current = HeaderLocked(scope, max_tries);
    if (current && (!sent || sent->value != current->value)) return;
  }
  const std::vector<Challenge> challenges = ChallengesOf(refused);
  for (const Challenge& challenge : challenges) {
    for (const char* parameter : {"realm", "service"}) {
      named_.insert(ParameterOf(challenge, parameter));
    }
  }
  auto bearer = std::ranges::find(challenges, "bearer", &Challenge::scheme);
  if (bearer != challenges.end()) {
    bearer_ = *bearer;
    basic_ = false;
    asked_[scope] = ParameterOf(*bearer, "scope");
    tokens_.insert_or_assign(scope, FetchToken(scope, max_tries));
    return;
  }
  if (std::ranges::find(challenges, "basic", &Challenge::scheme) == challenges.end()) {
    Refuse(challenges.empty() ? "it does not say how to log in"
                              : "it asks for a kind of login that is not known here");
  }
  if (credentials_.user.empty()) Refuse("it asks for a user and a password");
  if (basic_) Refuse("it does not accept them");
  basic_ = true;
}

bool Authenticator::Vouches(std::string_view url) {
  std::lock_guard lock(mutex_);
  const std::string scheme = registry_url_.substr(0, registry_url_.find("://") + 3);
  if (!url.starts_with("https://") && !url.starts_with(scheme)) return false;
  return std::ranges::any_of(named_, [&](const std::string& name) {
    const bool is_url = name.starts_with("https://") || name.starts_with("http://");
    return !name.empty() && specs::SameOrigin(url, is_url ? name : scheme + name);
  });
}

std::shared_ptr<const HttpTls> Authenticator::TlsFor(std::string_view url) const {
  if (tls_ == nullptr || specs::SameOrigin(url, registry_url_)) return tls_;
  HttpTls tls = *tls_;
  tls.certificate.clear();
  tls.key.clear();
  return std::make_shared<const HttpTls>(std::move(tls));
}

HttpRequest Authenticator::TokenRequest(const std::string& scope) const {
  const std::string realm = ParameterOf(*bearer_, "realm");
  const bool secure = realm.starts_with("https://");
  if (!secure && !realm.starts_with("http://")) {
    Refuse("it names no server that gives tokens");
  }
  if (!secure && registry_url_.starts_with("https://")) {
    Refuse("it sends us for a token to a server without TLS");
  }
  std::string fields = "service=" + PercentEncode(ParameterOf(*bearer_, "service"));
  const auto asked = asked_.find(scope);
  for (const std::string& wanted : Scopes(scope, asked == asked_.end() ? "" : asked->second)) {
    fields += "&scope=" + PercentEncode(wanted);
  }
  HttpRequest request;
  request.max_body = kLargestAnswer;
  request.redirects = RedirectPolicy::kReturn;
  request.credentials = CredentialPolicy::kNone;
  request.tls = TlsFor(realm);
  if (!credentials_.identity_token.empty()) {
    request.method = "POST";
    request.url = realm;
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    request.upload = HttpUpload{
        .bytes = "grant_type=refresh_token&client_id=imgbuild&" + fields +
                 "&refresh_token=" + PercentEncode(credentials_.identity_token.Reveal())};
    return request;
  }
  request.url = realm + (realm.find('?') == std::string::npos ? '?' : '&') + fields;
  if (!credentials_.user.empty()) {
    request.url += "&account=" + PercentEncode(credentials_.user);
    request.headers = {{"Authorization", BasicValue(credentials_)}};
  }
  return request;
}

Authenticator::Token Authenticator::FetchToken(const std::string& scope, int max_tries) {
  HttpRequest request = TokenRequest(scope);
  request.max_tries = max_tries;
  const HttpResponse response = http_.Fetch(std::move(request));
  if (IsTransientStatus(response.status)) {
    throw ServerBusy(Error(fmt::format("no token for {}: its token server answers {}", Host(),
                                       StatusText(response)))
                         .Hint("try again later"),
                     RetryAfterMs(response.Header("Retry-After")));
  }
  if (response.status != 200) {
    Refuse(fmt::format("its token server answers {}", response.status));
  }
  const auto document = nlohmann::json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  Token token{.text = {}, .expires = Clock::now() + kDefaultLife - kMargin};
  if (document.is_object()) {
    for (const char* key : {"access_token", "token"}) {
      const auto found = document.find(key);
      if (found != document.end() && found->is_string()) {
        token.text = specs::Secret(found->get<std::string>());
        break;
      }
    }
    const auto life = document.find("expires_in");
    if (life != document.end() && life->is_number_unsigned()) {
      const auto seconds = std::min<std::uint64_t>(life->get<std::uint64_t>(), 86'400);
      token.expires = Clock::now() + std::chrono::seconds(seconds) - kMargin;
    }
  }
  // What answers there is no token server, or was cut off: no login would change that.
  if (token.text.empty()) {
    throw Error(fmt::format("no token for {}: its token server's answer holds none", Host()))
        .Expected("JSON with \"token\" or \"access_token\"");
  }
  return token;
}

std::string Authenticator::Host() const {
  return registry_url_.substr(registry_url_.find("://") + 3);
}

void Authenticator::Refuse(std::string_view reason) const {
  const std::string host = Host();
  throw AccessRefused(Error(fmt::format("{} refuses access: {}", host, reason))
                          .Found(credentials_.empty()
                                     ? "no credentials for it"
                                     : fmt::format("credentials from {}", credentials_.origin))
                          .Hint(fmt::format("log in with imgbuild login {}", host)));
}

}  // namespace imgbuild::builder
