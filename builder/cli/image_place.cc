#include "builder/cli/image_place.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::ErrorKind;

constexpr std::string_view kExpected =
    "docker://HOST/NAME[:TAG], oci:DIRECTORY[:TAG], oci-archive:FILE[:TAG] or "
    "docker-archive:FILE[:NAME]";

constexpr std::array<std::pair<std::string_view, PlaceKind>, 4> kTransports = {{
    {"docker://", PlaceKind::kRegistry},
    {"oci:", PlaceKind::kOci},
    {"oci-archive:", PlaceKind::kOciArchive},
    {"docker-archive:", PlaceKind::kDockerArchive},
}};

// What follows the path, checked as that transport has it.
std::string ParseName(std::string_view text, std::string_view name, PlaceKind kind) {
  if (name.empty()) {
    throw Error(ErrorKind::kUsage, fmt::format("{}: the name after \":\" is missing", text));
  }
  if (kind == PlaceKind::kDockerArchive) {
    const specs::Reference reference =
        specs::WithContext(fmt::format("in {}", text), [&] { return specs::ParseImageName(name); });
    if (!reference.digest) return std::string(name);
    throw Error(ErrorKind::kUsage, fmt::format("{}: a docker-archive names no digests", text))
        .Expected("NAME[:TAG]");
  }
  if (specs::IsTag(name) || specs::IsRefName(name)) return std::string(name);
  throw Error(ErrorKind::kUsage, fmt::format("{}: \"{}\" is no tag", text, name))
      .Expected("letters and digits with \".\", \"_\", \"-\" between");
}

ImagePlace ParsePath(std::string_view text, std::string_view rest, PlaceKind kind) {
  const std::size_t colon = rest.find(':');
  ImagePlace place{
      .kind = kind, .reference = {}, .path = std::string(rest.substr(0, colon)), .name = {}};
  if (place.path.empty()) {
    throw Error(ErrorKind::kUsage, fmt::format("{}: the path is missing", text));
  }
  if (colon != std::string_view::npos) place.name = ParseName(text, rest.substr(colon + 1), kind);
  return place;
}

// What stands there without a transport, and is none of a registry.
Error Unknown(std::string_view text) {
  std::error_code ignored;
  const std::filesystem::path path(text.substr(0, text.find(':')));
  const char* meant = std::filesystem::is_directory(path, ignored) ? "oci:"
                      : std::filesystem::exists(path, ignored)     ? "oci-archive:"
                                                                   : nullptr;
  return Error(ErrorKind::kUsage, fmt::format("\"{}\" is no place of an image", text))
      .Expected(std::string(kExpected))
      .Hint(meant == nullptr ? "" : fmt::format("perhaps {}{}", meant, text));
}

}  // namespace

std::string ImagePlace::Render() const {
  for (const auto& [transport, its_kind] : kTransports) {
    if (its_kind != kind) continue;
    if (kind == PlaceKind::kRegistry) return std::string(transport) + reference.Render();
    return fmt::format("{}{}{}{}", transport, path, name.empty() ? "" : ":", name);
  }
  return path;
}

bool HasTransport(std::string_view text) {
  return std::ranges::any_of(
      kTransports, [&](const auto& transport) { return text.starts_with(transport.first); });
}

ImagePlace ParsePlace(std::string_view text) {
  for (const auto& [transport, kind] : kTransports) {
    if (!text.starts_with(transport)) continue;
    const std::string_view rest = text.substr(transport.size());
    if (kind != PlaceKind::kRegistry) return ParsePath(text, rest, kind);
    return {.kind = kind, .reference = specs::ParseReference(rest), .path = {}, .name = {}};
  }
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos || !specs::IsRegistryHost(text.substr(0, slash))) {
    throw Unknown(text);
  }
  return {.kind = PlaceKind::kRegistry,
          .reference = specs::ParseReference(text),
          .path = {},
          .name = {}};
}

specs::Reference ParseRegistryPlace(std::string_view text) {
  ImagePlace place = ParsePlace(text);
  if (place.kind == PlaceKind::kRegistry) return std::move(place.reference);
  throw Error(ErrorKind::kUsage, fmt::format("{} is in no registry", text))
      .Expected("docker://HOST/NAME[:TAG]");
}

std::string ReferenceText(const specs::Reference& reference) {
  if (reference.digest) return reference.digest->Oci();
  return reference.tag.empty() ? "latest" : reference.tag;
}

}  // namespace imgbuild::builder
