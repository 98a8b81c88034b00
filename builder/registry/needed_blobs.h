// Before an image is copied into a repository: what of it has to be fetched at all.
#pragma once

#include <string>
#include <vector>

#include "builder/registry/push_memory.h"
#include "builder/registry/registry.h"
#include "specs/oci/descriptor.h"

namespace imgbuild::builder {

// Whether the repository has this manifest, by its digest.
bool HasManifest(Registry& registry, const specs::Descriptor& manifest);

// Those blobs that `target` neither has nor takes over from a repository of its own registry
// (OCI distribution-spec v1.1, "Mounting a blob from another repository"): from `sibling`, where
// the image comes from ("" where that is another registry), or from where earlier pushes put them.
// In their order.
std::vector<specs::Descriptor> NeededBlobs(Registry& target, PushMemory& memory,
                                           const std::string& sibling,
                                           const std::vector<specs::Descriptor>& blobs,
                                           int jobs = 6);

}  // namespace imgbuild::builder
