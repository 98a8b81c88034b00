#include "builder/share/cache_credentials.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "specs/base/base64.h"
#include "specs/base/error.h"
#include "specs/base/secret.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

std::string HostOf(std::string_view url) {
  const std::string shown = RedactUrl(url);
  const std::size_t begin = shown.find("://") + 3;
  return shown.substr(begin, shown.find('/', begin) - begin);
}

std::string VariableName(std::string_view host, std::string_view suffix) {
  std::string name = "IMGBUILD_CACHE_";
  for (char c : host) {
    const auto byte = static_cast<unsigned char>(c);
    name += std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
  }
  return name.append(suffix);
}

HttpHeader ParseHeader(const specs::Secret& header, const std::string& variable) {
  const std::string& text = header.Reveal();
  const std::size_t colon = text.find(':');
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  if (colon == 0 || colon == std::string::npos || std::ranges::any_of(text, is_control)) {
    throw specs::Error(specs::ErrorKind::kUsage, variable + " is no header")
        .Expected("\"Name: value\", on one line");
  }
  return {text.substr(0, colon),
          std::string(specs::Trim(std::string_view(text).substr(colon + 1)))};
}

}  // namespace

std::vector<HttpHeader> CacheHeaders(const Environment& environment, std::string_view url) {
  const std::string host = HostOf(url);
  const auto get = [&](std::string_view suffix) {
    return specs::Secret(environment.Get(VariableName(host, suffix)).value_or(""));
  };
  std::vector<HttpHeader> headers;
  const specs::Secret token = get("_TOKEN");
  const specs::Secret user = get("_USERNAME");
  if (!token.empty()) {
    headers.push_back({"Authorization", "Bearer " + token.Reveal()});
  } else if (!user.empty()) {
    headers.push_back({"Authorization", "Basic " + specs::Base64Encode(user.Reveal() + ":" +
                                                                       get("_PASSWORD").Reveal())});
  }
  const specs::Secret header = get("_HEADER");
  if (!header.empty()) headers.push_back(ParseHeader(header, VariableName(host, "_HEADER")));
  return headers;
}

}  // namespace imgbuild::builder
