#include "builder/net/redirect.h"

#include <fmt/core.h>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

bool HasScheme(std::string_view url, std::string_view scheme) {
  return specs::ToLower(url.substr(0, scheme.size())) == scheme;
}

// 301 to 303 make a GET of what they send on; what changes something goes on where its method
// stays.
bool SendsOn(std::string_view method, int status) {
  if (status == 307 || status == 308) return true;
  const bool reads = method == "GET" || method == "HEAD";
  return reads && status >= 301 && status <= 303;
}

// Servers write file names into query parts as they are; curl takes no such URL.
std::string WithoutSpaces(std::string_view url) {
  std::string clean;
  for (char c : url) clean += c == ' ' ? std::string_view("%20") : std::string_view(&c, 1);
  return clean;
}

}  // namespace

bool HasTls(std::string_view url) { return HasScheme(url, "https://"); }

std::optional<std::string> NextUrl(std::string_view method, const HttpResponse& response) {
  const std::string_view location = response.Header("Location");
  if (!SendsOn(method, response.status) || location.empty()) return std::nullopt;
  std::string url = WithoutSpaces(specs::ResolveUrl(response.url, location));
  if (HasTls(url) || HasScheme(url, "http://")) return url;
  throw specs::Error(fmt::format("{} sends on to what is no server", ServerOf(response.url)))
      .Found(RedactUrl(url))
      .Expected("a URL of https or http");
}

void RequireTlsKept(std::string_view from, std::string_view to) {
  if (!HasTls(from) || HasTls(to)) return;
  throw specs::Error(fmt::format("{} sends on to a server without TLS", ServerOf(from)))
      .Found(RedactUrl(to))
      .Expected("a URL of https");
}

}  // namespace imgbuild::builder
