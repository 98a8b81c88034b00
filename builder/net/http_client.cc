#include "builder/net/http_client.h"

#include <chrono>
#include <future>
#include <thread>
#include <utility>

#include <fmt/core.h>

#include "builder/net/retry.h"
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

void HttpClient::Wait(const HttpWait& wait) {
  std::this_thread::sleep_for(std::chrono::milliseconds(wait.milliseconds));
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

std::string ServerOf(std::string_view url) {
  std::string server = RedactUrl(url);
  const std::size_t scheme = server.find("://");
  if (scheme != std::string::npos) server.erase(0, scheme + 3);
  return server.substr(0, server.find('/'));
}

std::string StatusText(const HttpResponse& response) {
  const std::uint64_t asked =
      IsTransientStatus(response.status) ? RetryAfterMs(response.Header("Retry-After")) : 0;
  if (asked == 0) return fmt::format("{}", response.status);
  return fmt::format("{} and asks to wait {} s", response.status, (asked + 999) / 1000);
}

}  // namespace imgbuild::builder
