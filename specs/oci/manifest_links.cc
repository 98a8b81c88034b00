#include "specs/oci/manifest_links.h"

#include <nlohmann/json.hpp>

#include "specs/base/error.h"
#include "specs/oci/json_document.h"

namespace imgbuild::specs {
namespace {

// The digests of the descriptors in the array at `key`. Whether there is one.
bool AddEach(const nlohmann::json& json, const char* key, const char* digest,
             std::vector<std::string>& links) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return false;
  if (!found->is_array()) throw Error(std::string(key) + " is no array");
  for (const nlohmann::json& item : *found) links.push_back(item.at(digest).get<std::string>());
  return true;
}

bool AddOne(const nlohmann::json& json, const char* key, std::vector<std::string>& links) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return false;
  links.push_back(found->at("digest").get<std::string>());
  return true;
}

}  // namespace

ManifestLinks ParseManifestLinks(std::string_view text, std::string_view what) {
  return Understand(what, [&] {
    const nlohmann::json json = ParseJsonDocument(text);
    if (!json.is_object()) throw Error("the document is no object");
    ManifestLinks links;
    bool known = AddOne(json, "config", links.blobs);
    known |= AddEach(json, "layers", "digest", links.blobs);
    known |= AddEach(json, "blobs", "digest", links.blobs);
    known |= AddEach(json, "fsLayers", "blobSum", links.blobs);
    known |= AddEach(json, "manifests", "digest", links.manifests);
    known |= AddOne(json, "subject", links.manifests);
    if (!known) throw Error("the document is no manifest");
    return links;
  });
}

}  // namespace imgbuild::specs
