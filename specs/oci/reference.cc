#include "specs/oci/reference.h"

#include <algorithm>

#include <fmt/format.h>

#include "specs/base/error.h"
#include "specs/base/text.h"

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

[[noreturn]] void Refuse(std::string_view text, std::string_view part, std::string_view found,
                         std::string_view expected) {
  throw Error(ErrorKind::kUsage, fmt::format("{} is no image reference: {}", text, part))
      .Found(fmt::format("\"{}\"", found))
      .Expected(std::string(expected));
}

}  // namespace

std::string Reference::Name() const { return registry + "/" + repository; }

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

bool IsRegistryHost(std::string_view host) {
  std::string_view name = host;
  if (name.starts_with('[')) {
    const std::size_t end = name.find(']');
    if (end == std::string_view::npos) return false;
    const std::string_view address = name.substr(1, end - 1);
    name.remove_prefix(end + 1);
    if (address.empty() ||
        address.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
      return false;
    }
    return name.empty() || (name.front() == ':' && ParseUnsigned(name.substr(1)).value_or(0) > 0);
  }
  const std::size_t colon = name.find(':');
  if (colon != std::string_view::npos) {
    const auto port = ParseUnsigned(name.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) return false;
    name = name.substr(0, colon);
  }
  for (std::string_view label : Split(name, '.')) {
    if (label.empty() || label.front() == '-' || label.back() == '-') return false;
    if (!std::ranges::all_of(label, [](char c) { return IsWordChar(c) || c == '-'; })) return false;
  }
  return colon != std::string_view::npos || name == "localhost" ||
         name.find('.') != std::string_view::npos;
}

Reference ParseReference(std::string_view text) {
  Reference reference;
  std::string_view rest = text;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    const std::string_view digest = rest.substr(at + 1);
    // OCI image-spec, descriptor.md, "Digests": lower-case hexadecimal.
    if (digest.starts_with("sha256:") && digest == ToLower(digest)) {
      reference.digest = Sha256::Parse(digest);
    }
    if (!reference.digest) {
      Refuse(text, "its digest", digest, "\"sha256:\" and 64 lower-case hexadecimal digits");
    }
    rest = rest.substr(0, at);
  }
  const std::size_t slash = rest.find('/');
  const std::string_view host = rest.substr(0, slash);
  if (slash == std::string_view::npos || !IsRegistryHost(host)) {
    Refuse(text, "it names no registry", slash == std::string_view::npos ? rest : host,
           "a host first, such as registry.example/team/notebook:tag");
  }
  reference.registry = host;
  rest.remove_prefix(slash + 1);
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
