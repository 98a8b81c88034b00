#include "specs/base/url.h"

#include <vector>

#include "specs/base/text.h"

namespace imgbuild::specs {
namespace {

struct UrlParts {
  std::string_view scheme;     // without ':'
  std::string_view authority;  // without "//"
  bool has_authority = false;
  std::string_view path;
  std::string_view query;  // with '?'
};

bool IsSchemeChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '-' || c == '.';
}

UrlParts SplitUrl(std::string_view url) {
  UrlParts parts;
  url = url.substr(0, url.find('#'));
  std::size_t colon = 0;
  while (colon < url.size() && IsSchemeChar(url[colon])) ++colon;
  if (colon > 0 && colon < url.size() && url[colon] == ':') {
    parts.scheme = url.substr(0, colon);
    url.remove_prefix(colon + 1);
  }
  if (url.starts_with("//")) {
    parts.has_authority = true;
    std::size_t end = url.find_first_of("/?", 2);
    parts.authority = url.substr(2, end == std::string_view::npos ? end : end - 2);
    url = end == std::string_view::npos ? std::string_view() : url.substr(end);
  }
  std::size_t question = url.find('?');
  parts.path = url.substr(0, question);
  if (question != std::string_view::npos) parts.query = url.substr(question);
  return parts;
}

// RFC 3986, 5.2.4.
std::string RemoveDotSegments(std::string_view path) {
  const bool absolute = path.starts_with('/');
  const std::vector<std::string_view> segments = Split(path.substr(absolute ? 1 : 0), '/');
  std::vector<std::string_view> kept;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const bool dots = segments[i] == "." || segments[i] == "..";
    if (segments[i] == ".." && !kept.empty()) kept.pop_back();
    if (!dots) {
      kept.push_back(segments[i]);
    } else if (i + 1 == segments.size()) {
      kept.emplace_back();  // what it leads to is a folder
    }
  }
  std::string result(absolute ? "/" : "");
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i > 0) result += '/';
    result += kept[i];
  }
  return result;
}

std::string Compose(std::string_view scheme, std::string_view authority, std::string_view path,
                    std::string_view query) {
  std::string url;
  url.reserve(scheme.size() + authority.size() + path.size() + query.size() + 3);
  url.append(scheme).append("://").append(authority).append(path).append(query);
  return url;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Host and port in one spelling, without user information.
std::string Origin(std::string_view url) {
  UrlParts parts = SplitUrl(url);
  std::string_view host = parts.authority;
  if (std::size_t at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);
  std::string scheme = ToLower(parts.scheme);
  std::string origin = ToLower(host);
  std::string_view port = scheme == "https" ? ":443" : scheme == "http" ? ":80" : "";
  if (!port.empty() && origin.ends_with(port)) origin.erase(origin.size() - port.size());
  return scheme + "://" + origin;
}

}  // namespace

std::string ResolveUrl(std::string_view base, std::string_view reference) {
  UrlParts to = SplitUrl(reference);
  if (!to.scheme.empty()) return std::string(reference.substr(0, reference.find('#')));
  UrlParts from = SplitUrl(base);
  if (to.has_authority) return Compose(from.scheme, to.authority, to.path, to.query);
  if (to.path.empty()) {
    return Compose(from.scheme, from.authority, from.path,
                   to.query.empty() ? from.query : to.query);
  }
  if (to.path.starts_with('/')) {
    return Compose(from.scheme, from.authority, RemoveDotSegments(to.path), to.query);
  }
  std::string_view directory = from.path.substr(0, from.path.rfind('/') + 1);
  std::string merged = directory.empty() ? "/" : std::string(directory);
  merged += to.path;
  return Compose(from.scheme, from.authority, RemoveDotSegments(merged), to.query);
}

std::string_view UrlFragment(std::string_view url) {
  std::size_t hash = url.find('#');
  return hash == std::string_view::npos ? std::string_view() : url.substr(hash + 1);
}

std::string UrlFileName(std::string_view url) {
  std::string_view path = SplitUrl(url).path;
  return PercentDecode(path.substr(path.rfind('/') + 1));
}

bool SameOrigin(std::string_view a, std::string_view b) { return Origin(a) == Origin(b); }

std::string WithoutSlash(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return std::string(url);
}

std::string PercentEncode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (char c : text) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      auto byte = static_cast<unsigned char>(c);
      encoded += '%';
      encoded += kDigits[byte >> 4];
      encoded += kDigits[byte & 15];
    }
  }
  return encoded;
}

std::string PercentDecode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      int high = HexDigit(text[i + 1]);
      int low = HexDigit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        decoded += static_cast<char>(high << 4 | low);
        i += 2;
        continue;
      }
    }
    decoded += text[i];
  }
  return decoded;
}

}  // namespace imgbuild::specs
