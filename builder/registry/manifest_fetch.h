// One manifest or index of a repository (OCI distribution-spec v1.1, "Pulling manifests"), byte for
// byte and verified.
#pragma once

#include <optional>
#include <string>

#include "builder/registry/registry.h"
#include "specs/oci/descriptor.h"

namespace imgbuild::builder {

struct FetchedManifest {
  specs::Descriptor descriptor;  // media type, digest and size
  std::string bytes;
};

// What `reference`, a tag or a digest, leads to; nullopt where the registry knows none.
//
// Throws Error where its bytes have another digest than was asked for, or than the registry itself
// says (Docker-Content-Digest), are more than 4 MiB, or are no manifest or index of a kind that is
// known: schema 1, a page of HTML, a document of another kind than its media type says. It is asked
// for `max_tries` times at most, where 0 leaves that to the client; so below.
std::optional<FetchedManifest> FetchManifest(Registry& registry, const std::string& reference,
                                             int max_tries = 0);

// The same by its descriptor, whose size must agree, too. Throws Error where there is none.
FetchedManifest FetchManifest(Registry& registry, const specs::Descriptor& descriptor,
                              int max_tries = 0);

}  // namespace imgbuild::builder
