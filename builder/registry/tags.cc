#include "builder/registry/tags.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "builder/registry/manifest_fetch.h"
#include "builder/registry/pages.h"
#include "layers/io/in_parallel.h"
#include "specs/base/error.h"
#include "specs/oci/json_document.h"
#include "specs/oci/media_types.h"
#include "specs/oci/reference.h"

namespace imgbuild::builder {
namespace {

using specs::Error;

constexpr std::size_t kMostTags = 1'000'000;

std::vector<HttpHeader> AcceptAny() {
  return {{"Accept", fmt::format("{}, {}, {}, {}", specs::kOciIndex, specs::kOciManifest,
                                 specs::kDockerIndex, specs::kDockerManifest)}};
}

}  // namespace

std::vector<std::string> ListTags(Registry& registry) {
  std::vector<std::string> tags;
  ForEachPage(registry, "/tags/list?n=1000", [&](const HttpResponse& response) {
    if (response.status != 200) throw registry.Failure("cannot list the tags", response);
    specs::Understand("the list of tags", [&] {
      const nlohmann::json document = specs::ParseJsonDocument(response.body);
      const auto found = document.find("tags");
      if (found == document.end() || found->is_null()) return;  // none, of some registries
      if (!found->is_array()) throw Error("\"tags\" is no array");
      for (const nlohmann::json& tag : *found) {
        std::string text = tag.get<std::string>();
        if (!specs::IsTag(text)) throw Error("a tag is none").Found(text.substr(0, 100));
        tags.push_back(std::move(text));
      }
    });
    if (tags.size() > kMostTags) {
      throw Error(fmt::format("{} gives a list of tags without end", registry.Name()));
    }
    return true;
  });
  std::ranges::sort(tags);
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  return tags;
}

std::vector<std::string> TagsThatLeadTo(Registry& registry, const specs::Sha256& manifest,
                                        const std::vector<std::string>& tags, int jobs) {
  std::vector<char> leads(tags.size(), 0);  // not bool: threads write side by side
  layers::InParallel(tags.size(), jobs, [&](std::size_t i) {
    const HttpResponse response =
        registry.Send({.method = "HEAD", .path = "/manifests/" + tags[i], .headers = AcceptAny()});
    if (response.status != 200) return;
    const std::string_view digest = response.Header("Docker-Content-Digest");
    if (!digest.empty()) {
      leads[i] = digest == manifest.Oci() ? 1 : 0;
      return;
    }
    // The header is no duty: then the document itself tells.
    const auto fetched = FetchManifest(registry, tags[i]);
    leads[i] = fetched && fetched->descriptor.digest == manifest ? 1 : 0;
  });
  std::vector<std::string> found;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    if (leads[i] != 0) found.push_back(tags[i]);
  }
  return found;
}

std::optional<std::vector<std::string>> FindTagsOf(Registry& registry,
                                                   const specs::Sha256& manifest,
                                                   std::size_t most) {
  try {
    const std::vector<std::string> all = ListTags(registry);
    if (all.size() > most) return std::nullopt;
    return TagsThatLeadTo(registry, manifest, all);
  } catch (const Error& error) {
    if (error.kind() == specs::ErrorKind::kInterrupted) throw;
    return std::nullopt;
  }
}

TagDeletion DeleteTag(Registry& registry, const std::string& tag) {
  const HttpResponse response =
      registry.Send({.method = "DELETE", .path = "/manifests/" + tag, .max_tries = 1});
  switch (response.status) {
    case 200:
    case 202:
      return TagDeletion::kDeleted;
    case 404:
      return TagDeletion::kUnknown;
    case 400:
    case 405:
    case 501:
      return TagDeletion::kUnsupported;
    default:
      throw registry.Failure("cannot delete the tag", response);
  }
}

bool DeleteManifest(Registry& registry, const specs::Sha256& manifest) {
  const HttpResponse response =
      registry.Send({.method = "DELETE", .path = "/manifests/" + manifest.Oci(), .max_tries = 1});
  if (response.status == 200 || response.status == 202) return true;
  if (response.status == 404) return false;
  if (response.status == 400 || response.status == 405 || response.status == 501) {
    throw std::move(registry.Failure("cannot delete the manifest", response))
        .Hint("this registry does not let anything be deleted; its operator may");
  }
  throw registry.Failure("cannot delete the manifest", response);
}

}  // namespace imgbuild::builder
