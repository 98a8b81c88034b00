#include "specs/oci/reference.h"

#include <algorithm>

#include <fmt/core.h>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/descriptor.h"

namespace imgbuild::specs {
namespace {

constexpr std::string_view kForm = "[REGISTRY[:PORT]/]NAME[:TAG][@sha256:DIGEST]";

bool IsLower(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsAlnum(char c) { return IsLower(c) || (c >= 'A' && c <= 'Z'); }

// "." "_" "__" or dashes.
bool IsSeparator(std::string_view run) {
  return run == "." || run == "_" || run == "__" ||
         run.find_first_not_of('-') == std::string_view::npos;
}

// Letters and digits, with runs between them that `separator` allows.
template <typename Letter, typename Separator>
bool IsSeparated(std::string_view text, Letter letter, Separator separator) {
  if (text.empty() || !letter(text.front()) || !letter(text.back())) return false;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && !letter(text[end])) ++end;
    if (end > i && !separator(text.substr(i, end - i))) return false;
    i = end + 1;
  }
  return true;
}

bool IsComponent(std::string_view text) { return IsSeparated(text, IsLower, IsSeparator); }

bool IsHostName(std::string_view text) {
  const std::vector<std::string_view> labels = Split(text, '.');
  return text.size() <= 255 &&
         std::all_of(labels.begin(), labels.end(), [](std::string_view label) {
           return label.size() <= 63 && IsSeparated(label, IsAlnum, [](std::string_view run) {
                    return run.find_first_not_of('-') == std::string_view::npos;
                  });
         });
}

bool IsIpv6(std::string_view text) {
  return text.size() >= 4 && text.size() <= 47 && text.front() == '[' && text.back() == ']' &&
         text.substr(1, text.size() - 2).find_first_not_of("0123456789abcdefABCDEF:.") ==
             std::string_view::npos &&
         text.find(':') != std::string_view::npos;
}

bool IsPort(std::string_view text) {
  const auto number = ParseUnsigned(text);
  return text.size() <= 5 && number && *number > 0 && *number <= 65'535;
}

// Whether the part before the first "/" can only be meant as a registry.
bool LooksLikeRegistry(std::string_view text) {
  return text == "localhost" || text.find_first_of(".:[") != std::string_view::npos;
}

Error Wrong(std::string_view text, std::string problem) {
  return Error(ErrorKind::kUsage, fmt::format("\"{}\" is no image reference: {}", text, problem))
      .Expected(std::string(kForm));
}

Error WrongRepository(std::string_view text, std::string_view name) {
  if (name.empty()) return Wrong(text, "the name is missing");
  if (name.size() > 255) return Wrong(text, "the name has more than 255 characters");
  const std::string lower = ToLower(name);
  Error error = Wrong(text, fmt::format("the name \"{}\" is not lower-case letters and digits with "
                                        "\".\", \"_\", \"-\" or \"/\" between",
                                        name));
  if (lower != name && IsRepositoryName(lower)) {
    return std::move(error).Hint(fmt::format("write \"{}\"", lower));
  }
  return error;
}

// Takes what follows the last `mark` off `rest`; nullopt where there is none.
std::optional<std::string_view> TakeAfter(std::string_view& rest, std::size_t mark) {
  if (mark == std::string_view::npos) return std::nullopt;
  const std::string_view taken = rest.substr(mark + 1);
  rest = rest.substr(0, mark);
  return taken;
}

}  // namespace

bool IsRepositoryName(std::string_view text) {
  const std::vector<std::string_view> parts = Split(text, '/');
  return text.size() <= 255 && std::all_of(parts.begin(), parts.end(), IsComponent);
}

bool IsTagName(std::string_view text) {
  const auto word = [](char c) { return IsAlnum(c) || c == '_'; };
  return !text.empty() && text.size() <= 128 && word(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return word(c) || c == '.' || c == '-'; });
}

bool IsRegistryHost(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::size_t bracket = text.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (has_port && !IsPort(text.substr(colon + 1))) return false;
  const std::string_view host = has_port ? text.substr(0, colon) : text;
  return IsHostName(host) || IsIpv6(host);
}

bool IsRefName(std::string_view text) {
  const auto separator = [](std::string_view run) {
    return run == "--" ||
           (run.size() == 1 && std::string_view("-._:@+").find(run[0]) != std::string_view::npos);
  };
  const std::vector<std::string_view> parts = Split(text, '/');
  return std::all_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return IsSeparated(part, IsAlnum, separator); });
}

std::string Reference::Render() const {
  std::string text = registry.empty() ? repository : registry + "/" + repository;
  if (!tag.empty()) text += ":" + tag;
  if (digest) text += "@" + digest->Oci();
  return text;
}

Reference ParseReference(std::string_view text) {
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    throw Wrong(text, "it begins with a scheme")
        .Hint(fmt::format("write \"{}\"", text.substr(scheme + 3)));
  }
  Reference reference;
  std::string_view rest = text;
  if (const auto digest = TakeAfter(rest, rest.find('@'))) {
    reference.digest = ParseDigest(*digest);
    if (!reference.digest) {
      throw Wrong(text, "after \"@\" stands no \"sha256:\" with 64 lower-case hexadecimal digits");
    }
  }
  const std::size_t last_slash = rest.rfind('/');
  const std::size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos &&
      (last_slash == std::string_view::npos || colon > last_slash)) {
    const std::string_view tag = *TakeAfter(rest, colon);
    if (!IsTagName(tag)) {
      throw Wrong(text, fmt::format("\"{}\" is no tag: up to 128 letters, digits, \"_\", \".\" and "
                                    "\"-\", beginning with none of the last two",
                                    tag));
    }
    reference.tag = tag;
  }
  const std::size_t slash = rest.find('/');
  if (slash != std::string_view::npos && LooksLikeRegistry(rest.substr(0, slash))) {
    reference.registry = rest.substr(0, slash);
    if (!IsRegistryHost(reference.registry)) {
      throw Wrong(text,
                  fmt::format("\"{}\" is no host with or without a port", reference.registry));
    }
    rest.remove_prefix(slash + 1);
  }
  if (!IsRepositoryName(rest)) throw WrongRepository(text, rest);
  reference.repository = rest;
  return reference;
}

}  // namespace imgbuild::specs
