#include "specs/oci/document.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/oci/descriptor_json.h"
#include "specs/oci/json_document.h"
#include "specs/oci/media_types.h"

namespace imgbuild::specs {
namespace {

constexpr std::array<std::string_view, 2> kIndexTypes = {kOciIndex, kDockerIndex};
constexpr std::array<std::string_view, 3> kManifestTypes = {kOciManifest, kDockerManifest,
                                                            kOciArtifact};

bool IsForeignType(std::string_view media_type) {
  return media_type.find(".nondistributable.") != std::string_view::npos ||
         media_type.find(".rootfs.foreign.") != std::string_view::npos;
}

bool HasList(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return false;
  if (!found->is_array()) throw Error(fmt::format("\"{}\" is no array", key));
  return true;
}

std::string PlatformOf(const nlohmann::json& entry) {
  const auto platform = entry.find("platform");
  if (platform == entry.end() || !platform->is_object()) return "";
  const std::string os = TextAt(*platform, "os");
  if (os.empty()) return "";
  const std::string variant = TextAt(*platform, "variant");
  return os + "/" + TextAt(*platform, "architecture") + (variant.empty() ? "" : "/" + variant);
}

DocumentLink ReadLink(const nlohmann::json& entry) {
  if (!entry.is_object()) throw Error("a descriptor is no object");
  DocumentLink link{.descriptor = ToDescriptor(entry),
                    .platform = PlatformOf(entry),
                    .artifact_type = TextAt(entry, "artifactType"),
                    .foreign = false};
  const auto urls = entry.find("urls");
  link.foreign = IsForeignType(link.descriptor.media_type) ||
                 (urls != entry.end() && urls->is_array() && !urls->empty());
  return link;
}

std::vector<DocumentLink> ReadLinks(const nlohmann::json& json, const char* key) {
  std::vector<DocumentLink> links;
  if (!HasList(json, key)) return links;
  for (const nlohmann::json& entry : json.at(key)) links.push_back(ReadLink(entry));
  return links;
}

std::optional<DocumentLink> ReadOptional(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return std::nullopt;
  return ReadLink(*found);
}

// Artifact manifests have no version, and some tools leave it out.
void RequireSchema2(const nlohmann::json& json) {
  const auto version = json.find("schemaVersion");
  if (version == json.end() || *version == 2) return;
  if (*version != 1) throw Error("schemaVersion is not 2");
  throw Error("it is a manifest of docker's schema 1, which is not supported")
      .Hint("have the image pushed again by a current tool");
}

DocumentKind KindOf(const nlohmann::json& json, std::string_view media_type) {
  const bool lists = HasList(json, "manifests");
  const bool needs = json.contains("config") || HasList(json, "layers") || HasList(json, "blobs");
  if (lists == needs) {
    throw Error(lists ? "the document is an index and a manifest at once"
                      : "the document is no manifest");
  }
  const DocumentKind kind = lists ? DocumentKind::kIndex : DocumentKind::kManifest;
  const bool says_index = std::ranges::count(kIndexTypes, media_type) > 0;
  const bool says_manifest = std::ranges::count(kManifestTypes, media_type) > 0;
  if (lists ? says_manifest : says_index) {
    throw Error("the document is of another kind than its mediaType says")
        .Found(std::string(media_type));
  }
  return kind;
}

}  // namespace

Document ParseDocument(std::string_view text, std::string_view what) {
  return Understand(what, [&] {
    const nlohmann::json json = ParseJsonDocument(text);
    if (!json.is_object()) throw Error("the document is no object");
    RequireSchema2(json);
    Document document;
    document.media_type = TextAt(json, "mediaType");
    document.artifact_type = TextAt(json, "artifactType");
    document.kind = KindOf(json, document.media_type);
    document.config = ReadOptional(json, "config");
    document.layers = ReadLinks(json, "layers");
    for (DocumentLink& blob : ReadLinks(json, "blobs")) document.layers.push_back(std::move(blob));
    document.manifests = ReadLinks(json, "manifests");
    document.subject = ReadOptional(json, "subject");
    document.annotations = AnnotationsOf(json);
    return document;
  });
}

bool IsDocumentType(std::string_view media_type) {
  return std::ranges::count(kIndexTypes, media_type) > 0 ||
         std::ranges::count(kManifestTypes, media_type) > 0;
}

bool PlatformFits(std::string_view wanted, std::string_view offered) {
  std::vector<std::string_view> want = Split(wanted, '/');
  std::vector<std::string_view> offer = Split(offered, '/');
  for (std::vector<std::string_view>* parts : {&want, &offer}) {
    if (parts->size() == 3 && (*parts)[1] == "arm64" && (*parts)[2] == "v8") parts->pop_back();
  }
  if (want.size() < 2 || offer.size() < want.size()) return false;
  return std::equal(want.begin(), want.end(), offer.begin());
}

bool IsPlatformName(std::string_view text) {
  const std::vector<std::string_view> parts = Split(text, '/');
  if (parts.size() < 2 || parts.size() > 3) return false;
  return std::ranges::all_of(parts, [](std::string_view part) {
    return !part.empty() && part.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-") ==
                                std::string_view::npos;
  });
}

}  // namespace imgbuild::specs
