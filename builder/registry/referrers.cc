#include "builder/registry/referrers.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "builder/registry/manifest_fetch.h"
#include "builder/registry/manifest_put.h"
#include "builder/registry/pages.h"
#include "specs/base/error.h"
#include "specs/oci/document.h"
#include "specs/oci/layout_index.h"
#include "specs/oci/media_types.h"

namespace imgbuild::builder {
namespace {

using specs::Error;

constexpr std::size_t kMostReferrers = 100'000;

std::string ListPath(const specs::Sha256& subject) { return "/referrers/" + subject.Oci(); }

void Append(const std::string& index, const std::string& what, std::vector<Referrer>& referrers,
            std::set<specs::Sha256>& seen) {
  const specs::Document document = specs::ParseDocument(index, what);
  if (document.kind != specs::DocumentKind::kIndex) {
    throw Error(fmt::format("{} is no index", what));
  }
  for (const specs::DocumentLink& link : document.manifests) {
    if (!seen.insert(link.descriptor.digest).second) continue;
    referrers.push_back({link.descriptor, link.artifact_type});
    if (referrers.size() > kMostReferrers) throw Error(fmt::format("{} is without end", what));
  }
}

// Whether the answer is one of the API: other servers answer anything to a path that they do not
// know.
bool IsList(const HttpResponse& response) {
  const std::string_view type = response.Header("Content-Type");
  return response.status == 200 && type.substr(0, type.find(';')) == specs::kOciIndex;
}

// Nullopt where the registry keeps no list.
std::optional<std::vector<Referrer>> FromApi(Registry& registry, const specs::Sha256& subject) {
  std::vector<Referrer> referrers;
  std::set<specs::Sha256> seen;
  bool known = true;
  ForEachPage(registry, ListPath(subject), [&](const HttpResponse& response) {
    if (!IsList(response)) {
      const bool absent = response.status == 404 || response.status == 400 ||
                          response.status == 405 || response.status == 200;
      if (!absent || !seen.empty()) throw registry.Failure("cannot list referrers", response);
      known = false;
      return false;
    }
    Append(response.body, "the list of referrers", referrers, seen);
    return true;
  });
  if (!known) return std::nullopt;
  return referrers;
}

specs::LayoutEntry EntryOf(const Referrer& referrer) {
  nlohmann::ordered_json json = {{"mediaType", referrer.descriptor.media_type},
                                 {"digest", referrer.descriptor.digest.Oci()},
                                 {"size", referrer.descriptor.size}};
  if (!referrer.artifact_type.empty()) json["artifactType"] = referrer.artifact_type;
  if (!referrer.descriptor.annotations.empty()) {
    json["annotations"] = referrer.descriptor.annotations;
  }
  return {.json = json.dump(),
          .media_type = referrer.descriptor.media_type,
          .digest = referrer.descriptor.digest.Oci(),
          .ref_name = ""};
}

}  // namespace

std::string ReferrersTag(const specs::Sha256& subject) { return "sha256-" + subject.Hex(); }

std::vector<Referrer> ListReferrers(Registry& registry, const specs::Sha256& subject) {
  if (auto listed = FromApi(registry, subject)) return *std::move(listed);
  std::vector<Referrer> referrers;
  std::set<specs::Sha256> seen;
  if (const auto index = FetchManifest(registry, ReferrersTag(subject))) {
    Append(index->bytes, "the index " + ReferrersTag(subject), referrers, seen);
  }
  return referrers;
}

void PublishReferrers(Registry& registry, const specs::Sha256& subject,
                      const std::vector<Referrer>& added) {
  if (added.empty() || FromApi(registry, subject)) return;
  const std::string tag = ReferrersTag(subject);
  specs::LayoutIndex index;
  if (const auto before = FetchManifest(registry, tag)) {
    index = specs::ParseLayoutIndex(before->bytes, tag);
  }
  const std::size_t entries = index.entries.size();
  for (const Referrer& referrer : added) {
    const specs::LayoutEntry entry = EntryOf(referrer);
    if (std::ranges::find(index.entries, entry.digest, &specs::LayoutEntry::digest) ==
        index.entries.end()) {
      index.entries.push_back(entry);
    }
  }
  if (index.entries.size() == entries) return;
  layers::SourceDocument document{.descriptor = {}, .bytes = specs::RenderLayoutIndex(index)};
  document.descriptor = {.media_type = std::string(specs::kOciIndex),
                         .digest = specs::HashOf(document.bytes),
                         .size = document.bytes.size(),
                         .platform = {},
                         .annotations = {}};
  specs::WithContext("while putting the list of referrers",
                     [&] { PutManifest(registry, tag, document); });
}

}  // namespace imgbuild::builder
