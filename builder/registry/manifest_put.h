// Putting one manifest or index under a tag or its digest (OCI distribution-spec v1.1, "Pushing
// Manifests").
#pragma once

#include <string>

#include "builder/registry/registry.h"
#include "layers/image/image_source.h"
#include "specs/oci/descriptor.h"

namespace imgbuild::builder {

// Whether the reference, a tag or a digest, leads to that very document.
bool LeadsTo(Registry& registry, const std::string& reference, const specs::Descriptor& document);

// What was there under a tag is replaced. Throws Error where the registry refuses it, and
// (kVerification) where it takes the document for another one, again and again.
void PutManifest(Registry& registry, const std::string& reference,
                 const layers::SourceDocument& document);

}  // namespace imgbuild::builder
