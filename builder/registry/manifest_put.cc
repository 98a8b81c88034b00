#include "builder/registry/manifest_put.h"

#include <fmt/format.h>

#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using specs::Error;

// Whether the registry took it for what it is.
bool PutOnce(Registry& registry, const std::string& reference,
             const layers::SourceDocument& document) {
  const HttpResponse response =
      registry.Send({.method = "PUT",
                     .path = "/manifests/" + reference,
                     .headers = {{"Content-Type", document.descriptor.media_type}},
                     .upload = HttpUpload{.bytes = document.bytes}});
  if (response.status != 201) throw registry.Failure("cannot put a manifest", response);
  const std::string_view digest = response.Header("Docker-Content-Digest");
  return digest.empty() ? LeadsTo(registry, reference, document.descriptor)
                        : digest == document.descriptor.digest.Oci();
}

}  // namespace

bool LeadsTo(Registry& registry, const std::string& reference, const specs::Descriptor& document) {
  const HttpResponse response = registry.Send({.method = "HEAD",
                                               .path = "/manifests/" + reference,
                                               .headers = {{"Accept", document.media_type}}});
  if (response.status == 404) return false;
  if (response.status != 200) throw registry.Failure("cannot ask for a manifest", response);
  const std::string_view digest = response.Header("Docker-Content-Digest");
  if (!digest.empty()) return digest == document.digest.Oci();
  // The header is no duty: then the document itself tells.
  const HttpResponse whole = registry.Send(
      {.path = "/manifests/" + reference, .headers = {{"Accept", document.media_type}}});
  return whole.status == 200 && specs::HashOf(whole.body) == document.digest;
}

// A tag's manifest goes out without a digest to be held against, so one that was spoiled on its way
// is taken by the registry. Then it is put again: the tag must not stay on it.
void PutManifest(Registry& registry, const std::string& reference,
                 const layers::SourceDocument& document) {
  constexpr int kTries = 3;
  for (int i = 0; i < kTries; ++i) {
    if (PutOnce(registry, reference, document)) return;
  }
  throw Error(specs::ErrorKind::kVerification,
              fmt::format("{} took a manifest for another, {} times", registry.Name(), kTries))
      .Expected(document.descriptor.digest.Oci())
      .Hint("what lies between here and the registry spoils what goes through it");
}

}  // namespace imgbuild::builder
