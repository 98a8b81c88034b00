// What was attached to an image: signatures, SBOMs, other artifacts (OCI distribution-spec v1.1,
// "Listing Referrers" and "Referrers Tag Schema" for registries that keep no list themselves).
#pragma once

#include <string>
#include <vector>

#include "builder/registry/registry.h"
#include "specs/oci/descriptor.h"

namespace imgbuild::builder {

struct Referrer {
  specs::Descriptor descriptor;  // of its manifest, with its annotations
  std::string artifact_type;

  bool operator==(const Referrer&) const = default;
};

// Of the manifest or index `subject`, in the registry's order, each digest once.
std::vector<Referrer> ListReferrers(Registry& registry, const specs::Sha256& subject);

// After manifests that have `subject` were pushed: where the registry keeps no list, they are added
// to the index under the tag that stands in for it, keeping what others put there. Throws Error
// where it cannot be put, as PutManifest does.
void PublishReferrers(Registry& registry, const specs::Sha256& subject,
                      const std::vector<Referrer>& added);

// "sha256-HEX".
std::string ReferrersTag(const specs::Sha256& subject);

}  // namespace imgbuild::builder
