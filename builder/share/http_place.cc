#include "builder/share/http_place.h"

#include <optional>
#include <utility>

#include <fmt/core.h>

#include "builder/net/redirect.h"
#include "builder/share/action_result.h"
#include "specs/base/error.h"
#include "specs/base/key.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
specs::Error CacheRefused(const std::string& place, const HttpResponse& response) {
  specs::Error error(fmt::format("{} answers {}", place, StatusText(response)));
  if (response.status != 401 && response.status != 403) return error;
  return std::move(error).Hint("give credentials: docs/registries.md, \"Shared caches\"");
}

specs::Sha256 ActionKey(const EntryName& name) {
  return specs::KeyBuilder("imgbuild-cache/1")
      .Add("kind", EntryKindName(name.kind))
      .Add("key", name.key)
      .Finish();
}

HttpResponse FetchAtHome(HttpClient& http, HttpRequest request) {
  constexpr int kMostRedirects = 5;
  request.redirects = RedirectPolicy::kReturn;
  for (int redirects = 0;; ++redirects) {
    HttpResponse response = http.Fetch(request);
    std::optional<std::string> next = NextUrl(request.method, response);
    if (!next || redirects == kMostRedirects) return response;
    RequireTlsKept(request.url, *next);
    if (!specs::SameOrigin(*next, request.url)) {
      request.headers.clear();
      request.credentials = CredentialPolicy::kNone;
    }
    request.url = *std::move(next);
  }
}

HttpPlace::HttpPlace(std::unique_ptr<CacheClient> client, std::string_view url,
                     std::vector<HttpHeader> headers)
    : client_(std::move(client)),
      base_(specs::WithoutSlash(url)),
      name_(RedactUrl(base_)),
      headers_(std::move(headers)) {}

std::optional<CacheEntry> HttpPlace::Find(const EntryName& name) {
  const HttpResponse response =
      FetchAtHome(*client_, {.url = fmt::format("{}/ac/{}", base_, ActionKey(name).Hex()),
                             .headers = headers_,
                             .max_body = kLargestAction});
  if (response.status == 404) return std::nullopt;
  if (response.status != 200) throw CacheRefused(name_, response);
  std::optional<CacheEntry> entry = ParseActionResult(response.body);
  if (!entry) throw specs::Error(fmt::format("{} answers with no ActionResult", name_));
  return entry;
}

bool HttpPlace::Read(const EntryBlob& blob, layers::Sink& sink,
                     const std::function<void()>& restart) {
  const HttpResponse response =
      FetchAtHome(*client_, {.url = fmt::format("{}/cas/{}", base_, blob.digest.Hex()),
                             .headers = headers_,
                             .body = &sink,
                             .restart = restart});
  if (response.status == 404) return false;
  if (response.status != 200) throw CacheRefused(name_, response);
  return true;
}

}  // namespace imgbuild::builder
