#include "builder/net/http_client.h"

#include <future>
#include <utility>

#include <fmt/core.h>

#include "specs/base/text.h"

namespace imgbuild::builder {

std::string RangeText(const ByteRange& range) {
  if (range.suffix) return fmt::format("-{}", range.first);
  if (range.last) return fmt::format("{}-{}", range.first, *range.last);
  return fmt::format("{}-", range.first);
}

std::string_view HttpResponse::Header(std::string_view name) const {
  const std::string wanted = specs::ToLower(name);
  for (const HttpHeader& header : headers) {
    if (specs::ToLower(header.name) == wanted) return header.value;
  }
  return {};
}

std::vector<std::string_view> HttpResponse::AllHeaders(std::string_view name) const {
  const std::string wanted = specs::ToLower(name);
  std::vector<std::string_view> values;
  for (const HttpHeader& header : headers) {
    if (specs::ToLower(header.name) == wanted) values.push_back(header.value);
  }
  return values;
}

HttpResponse HttpClient::Fetch(HttpRequest request) {
  // Shared: the client's thread may still be in set_value when this one has the value.
  const auto promise = std::make_shared<std::promise<HttpResult>>();
  std::future<HttpResult> result = promise->get_future();
  Start(std::move(request),
        [promise](HttpResult answer) { promise->set_value(std::move(answer)); });
  HttpResult answer = result.get();
  if (auto* error = std::get_if<specs::Error>(&answer)) throw std::move(*error);
  return std::get<HttpResponse>(std::move(answer));
}

std::string RedactUrl(std::string_view url) {
  std::string shown(url.substr(0, url.find_first_of("?#")));
  std::size_t scheme = shown.find("://");
  if (scheme == std::string::npos) return shown;
  std::size_t authority = scheme + 3;
  std::size_t end = shown.find('/', authority);
  std::size_t at = shown.rfind('@', end);
  if (at != std::string::npos && at >= authority) shown.erase(authority, at + 1 - authority);
  return shown;
}

}  // namespace imgbuild::builder
