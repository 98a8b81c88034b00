#include "specs/oci/reference.h"

#include <algorithm>

#include <fmt/format.h>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/descriptor.h"

namespace imgbuild::specs {
namespace {

constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestTag = 128;

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool IsWordChar(char c) { return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z') || c == '_'; }

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool IsComponent(std::string_view text) {
  if (text.empty() || !IsLowerOrDigit(text.front()) || !IsLowerOrDigit(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    if (IsLowerOrDigit(text[i])) {
      ++i;
      continue;
    }
    const char separator = text[i];
    std::size_t end = i;
    while (end < text.size() && !IsLowerOrDigit(text[end])) {
      if (text[end] != separator) return false;
      ++end;
    }
    const std::size_t count = end - i;
    const bool fine =
        separator == '-' || (separator == '_' && count <= 2) || (separator == '.' && count == 1);
    if (!fine) return false;
    i = end;
  }
  return true;
}

bool IsAlnum(char c) { return IsWordChar(c) && c != '_'; }

// One of a host's, between dots (RFC 1123, 2.1).
bool IsLabel(std::string_view label) {
  if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
    return false;
  }
  return std::ranges::all_of(label, [](char c) { return IsAlnum(c) || c == '-'; });
}

bool IsPort(std::string_view text) {
  const auto port = ParseUnsigned(text);
  return port && *port > 0 && *port <= 65'535;
}

// In its brackets.
bool IsIpv6(std::string_view text) {
  if (text.size() < 4 || text.back() != ']') return false;
  text = text.substr(1, text.size() - 2);
  return text.find(':') != std::string_view::npos &&
         text.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
}

// What can only be meant as a host, rightly written or not.
bool LooksLikeHost(std::string_view text) {
  return text == "localhost" || text.find_first_of(".:[") != std::string_view::npos;
}

// alphanum (separator alphanum)*; separator: one of "-._:@+", or "--".
bool IsRefComponent(std::string_view text) {
  if (text.empty() || !IsAlnum(text.front()) || !IsAlnum(text.back())) return false;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (IsAlnum(text[i])) continue;
    if (std::string_view("-._:@+").find(text[i]) == std::string_view::npos) return false;
    if (text.substr(i, 2) == "--") ++i;
    if (!IsAlnum(text[i + 1])) return false;
  }
  return true;
}

[[noreturn]] void Refuse(std::string_view text, std::string_view part, std::string_view found,
                         std::string_view expected) {
  throw Error(ErrorKind::kUsage, fmt::format("{} is no image reference: {}", text, part))
      .Found(fmt::format("\"{}\"", found))
      .Expected(std::string(expected));
}

}  // namespace

std::string Reference::Name() const {
  return registry.empty() ? repository : registry + "/" + repository;
}

std::string Reference::Render() const {
  std::string text = Name();
  if (!tag.empty()) text += ":" + tag;
  if (digest) text += "@" + digest->Oci();
  return text;
}

bool IsRepositoryName(std::string_view name) {
  return name.size() <= kLongestName && std::ranges::all_of(Split(name, '/'), IsComponent);
}

bool IsTag(std::string_view tag) {
  if (tag.empty() || tag.size() > kLongestTag || !IsWordChar(tag.front())) return false;
  return std::ranges::all_of(tag, [](char c) { return IsWordChar(c) || c == '.' || c == '-'; });
}

bool IsRefName(std::string_view name) {
  return std::ranges::all_of(Split(name, '/'), IsRefComponent);
}

bool IsRegistryHost(std::string_view host) {
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (has_port && !IsPort(host.substr(colon + 1))) return false;
  const std::string_view name = has_port ? host.substr(0, colon) : host;
  if (name.starts_with('[')) return IsIpv6(name);
  if (!std::ranges::all_of(Split(name, '.'), IsLabel)) return false;
  return has_port || name == "localhost" || name.find('.') != std::string_view::npos;
}

Reference ParseReference(std::string_view text) {
  if (!text.empty()) {
    Reference reference = ParseImageName(text);
    if (!reference.registry.empty()) return reference;
  }
  Refuse(text, "it names no registry", text.substr(0, text.find('/')),
         "a host first, such as registry.example/team/notebook:tag");
}

Reference ParseImageName(std::string_view text) {
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    Refuse(text, "it has a scheme", text.substr(0, scheme + 3), "the name alone");
  }
  Reference reference;
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    reference.digest = ParseDigest(rest.substr(at + 1));
    if (!reference.digest) {
      Refuse(text, "its digest", rest.substr(at + 1),
             "\"sha256:\" and 64 lower-case hexadecimal digits");
    }
    rest = rest.substr(0, at);
  }
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos && LooksLikeHost(rest.substr(0, slash))) {
    reference.registry = rest.substr(0, slash);
    if (!IsRegistryHost(reference.registry)) {
      Refuse(text, "it names no registry", reference.registry,
             "a host, such as registry.example or registry.example:5000");
    }
    rest.remove_prefix(slash + 1);
  }
  if (const std::size_t colon = rest.find(':'); colon != std::string_view::npos) {
    reference.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!IsTag(reference.tag)) {
      Refuse(text, "its tag", reference.tag,
             "letters, digits, \"_\", \".\" and \"-\", at most 128, not beginning with \".\" or "
             "\"-\"");
    }
  }
  reference.repository = rest;
  if (!IsRepositoryName(rest)) {
    Refuse(
        text, "its path", rest,
        "lower-case letters and digits, with single \".\", \"_\" or \"-\" and \"/\" between them");
  }
  return reference;
}

}  // namespace imgbuild::specs
