#include "builder/registry/registry.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "builder/net/redirect.h"
#include "builder/net/retry.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

using specs::Error;

constexpr int kMostLogins = 3;  // of one request: a token may run out while it is on its way
constexpr int kMostRedirects = 5;

// Up to five messages of the distribution-spec's error document, or the answer's first line.
std::string WordsOf(const HttpResponse& response) {
  const auto document = nlohmann::json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  std::vector<std::string> words;
  if (document.is_object()) {
    const auto errors = document.find("errors");
    if (errors != document.end() && errors->is_array()) {
      for (const auto& error : *errors) {
        if (!error.is_object() || words.size() == 5) break;
        auto text = [&](const char* key) {
          const auto found = error.find(key);
          return found != error.end() && found->is_string() ? found->get<std::string>() : "";
        };
        const std::string code = text("code");
        const std::string message = text("message");
        words.push_back(message.empty() ? code : fmt::format("{} ({})", message, code));
      }
    }
  }
  if (!words.empty()) return specs::Join(words, "; ");
  std::string_view line = specs::Trim(response.body);
  line = line.substr(0, std::min<std::size_t>(line.find('\n'), 200));
  return line.starts_with('<') ? "a page of HTML" : std::string(line);
}

void KeepTls(const std::string& from, const std::string& to) {
  try {
    RequireTlsKept(from, to);
  } catch (Error& error) {
    throw std::move(error).Hint(fmt::format(
        "if that is meant to be: [[registry]] with location = \"{}\" and insecure = true "
        "in registries.conf",
        ServerOf(to)));
  }
}

std::shared_ptr<const HttpTls> TlsOfEndpoint(const Endpoint& endpoint) {
  if (endpoint.transport != Transport::kFallback) return endpoint.tls;
  HttpTls unchecked = endpoint.tls != nullptr ? *endpoint.tls : HttpTls();
  unchecked.check = TlsCheck::kSkip;
  return std::make_shared<const HttpTls>(std::move(unchecked));
}

}  // namespace

Registry::Registry(HttpClient& http, Endpoint endpoint, Credentials credentials, Access access,
                   ServerSettings others)
    : http_(http),
      endpoint_(std::move(endpoint)),
      credentials_(std::move(credentials)),
      access_(access),
      others_(std::move(others)) {}

std::string Registry::Name() const {
  return endpoint_.repository.empty() ? endpoint_.host
                                      : endpoint_.host + "/" + endpoint_.repository;
}

bool Registry::Answers(const std::string& url, const std::shared_ptr<const HttpTls>& tls) {
  try {
    http_.Fetch({.url = url + "/v2/",
                 .redirects = RedirectPolicy::kReturn,
                 .credentials = CredentialPolicy::kNone,
                 .max_tries = 1,
                 .tls = tls});
    return true;
  } catch (const Error& error) {
    if (error.kind() == specs::ErrorKind::kInterrupted) throw;
    return false;
  }
}

std::string Registry::Base() {
  std::lock_guard lock(mutex_);
  if (!base_.empty()) return base_;
  std::string base = "https://" + endpoint_.host;
  std::shared_ptr<const HttpTls> tls = TlsOfEndpoint(endpoint_);
  if (endpoint_.transport == Transport::kFallback && !Answers(base, tls)) {
    base = "http://" + endpoint_.host;
  }
  authenticator_ = std::make_unique<Authenticator>(http_, base, std::move(tls), credentials_);
  return base_ = std::move(base);
}

std::string Registry::Scope(const std::string& mount_from) const {
  if (endpoint_.repository.empty()) return "";  // of the registry as a whole
  std::string scope = fmt::format("repository:{}:{}", endpoint_.repository,
                                  access_ == Access::kPull   ? "pull"
                                  : access_ == Access::kPush ? "pull,push"
                                                             : "pull,delete");
  if (!mount_from.empty()) scope += fmt::format(" repository:{}:pull", mount_from);
  return scope;
}

HttpResponse Registry::Send(RegistryRequest request) {
  const std::string base = Base();
  const std::string scope = Scope(request.mount_from);
  std::string url = request.path.starts_with('/')
                        ? fmt::format("{}/v2/{}{}", base, endpoint_.repository, request.path)
                        : std::move(request.path);
  const HttpRequest http{.method = std::move(request.method),
                         .url = {},
                         .headers = std::move(request.headers),
                         .range = request.range,
                         .body = request.body,
                         .max_body = request.max_body,
                         .restart = std::move(request.restart),
                         .head = std::move(request.head),
                         .progress = std::move(request.progress),
                         .upload = std::move(request.upload),
                         .redirects = RedirectPolicy::kReturn,
                         .credentials = CredentialPolicy::kNone,
                         .max_tries = request.max_tries,
                         .patience_s = request.patience_s,
                         .tls = nullptr};
  for (int redirects = 0;; ++redirects) {
    HttpResponse response = SendTo(url, http, scope);
    if (redirects == kMostRedirects) return response;
    std::optional<std::string> next = Next(http.method, response);
    if (!next) return response;
    url = *std::move(next);
  }
}

// Where the request goes on. What is read is judged by its digest, wherever it comes from; what is
// written goes to the registry alone.
std::optional<std::string> Registry::Next(const std::string& method, const HttpResponse& response) {
  try {
    if (method != "GET" && method != "HEAD") {
      const bool sent_on = response.status == 307 || response.status == 308;
      return sent_on ? std::optional(Location(response)) : std::nullopt;
    }
    std::optional<std::string> next = NextUrl(method, response);
    if (next && !HasTls(*next) && SettingsOf(ServerOf(*next)).transport == Transport::kTls) {
      KeepTls(response.url, *next);
    }
    return next;
  } catch (const Error& error) {
    throw AccessRefused(error);  // it would send us there again
  }
}

Endpoint Registry::SettingsOf(std::string_view server) const {
  if (others_ != nullptr) return others_(server);
  return {.host = std::string(server), .repository = "", .tls = nullptr};
}

std::shared_ptr<const HttpTls> Registry::TlsFor(const std::string& url) {
  if (specs::SameOrigin(url, base_) || authenticator_->Vouches(url)) {
    return authenticator_->TlsFor(url);
  }
  return TlsOfEndpoint(SettingsOf(ServerOf(url)));
}

HttpResponse Registry::SendTo(const std::string& url, const HttpRequest& request,
                              const std::string& scope) {
  // Another host, to which a blob's GET was sent on, has no say in where our credentials go.
  const bool own = specs::SameOrigin(url, base_);
  const std::shared_ptr<const HttpTls> tls = TlsFor(url);
  for (int login = 0;; ++login) {
    HttpRequest attempt = request;
    attempt.url = url;
    attempt.tls = tls;
    // Also where what comes then is cut off, or refused by who asked.
    attempt.head = [&](const HttpResponse& head) {
      if (own) ++answers_;
      if (request.head) request.head(head);
    };
    const std::optional<HttpHeader> header =
        own ? authenticator_->Header(scope, request.max_tries) : std::nullopt;
    if (header) attempt.headers.push_back(*header);
    HttpResponse response = http_.Fetch(std::move(attempt));
    if (own && !IsTransientStatus(response.status)) ++answers_;
    if (!own || response.status != 401 || login == kMostLogins) return response;
    authenticator_->Renew(response, header, scope, request.max_tries);
  }
}

void Registry::Wait(std::uint64_t milliseconds, std::string_view reason) {
  http_.Wait(
      {.server = endpoint_.host, .reason = std::string(reason), .milliseconds = milliseconds});
}

HttpResponse Registry::Ping() { return Send({.path = Base() + "/v2/"}); }

std::string Registry::Location(const HttpResponse& response) {
  const std::string_view location = response.Header("Location");
  if (location.empty()) {
    throw Error(fmt::format("{} does not say where to go on", Name()))
        .Found(fmt::format("status {} without a Location", response.status));
  }
  std::string url = specs::ResolveUrl(response.url, location);
  if (MayGoTo(url)) return url;
  throw Error(fmt::format("{} sends an upload to another host", Name()))
      .Found(RedactUrl(url))
      .Expected("a Location at " + Base() + ", or at a host that it names for its logins");
}

bool Registry::MayGoTo(const std::string& url) {
  return specs::SameOrigin(url, Base()) || authenticator_->Vouches(url);
}

Error Registry::Failure(std::string_view what, const HttpResponse& response) const {
  const std::string words = WordsOf(response);
  Error error(fmt::format("{}: {} answers {}", what, Name(), StatusText(response)));
  std::string hint;
  if (response.status == 401 || response.status == 403) {
    hint = fmt::format("log in with imgbuild login {}, as a user who may do that", endpoint_.host);
  } else if (response.status == 404) {
    hint = "check the name";
  } else if (response.status == 405) {
    hint = "the registry does not allow that: it may be read-only, for maintenance, say";
  } else if (response.status == 429) {
    hint = "the registry limits how much may be asked for; try again later or log in";
  }
  Error with_words = words.empty() ? std::move(error) : std::move(std::move(error).Found(words));
  return hint.empty() ? with_words : Error(std::move(std::move(with_words).Hint(hint)));
}

}  // namespace imgbuild::builder
