// What a manifest or index of any kind leads to: OCI image-spec v1.1 (manifest.md, image-index.md),
// docker's image manifests of schemas 1 and 2, and artifact manifests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::specs {

// Digests as they stand, of any algorithm and unchecked.
struct ManifestLinks {
  std::vector<std::string> blobs;      // configuration, layers
  std::vector<std::string> manifests;  // of an index; the subject

  bool operator==(const ManifestLinks&) const = default;
};

// Throws Error naming `what` where it cannot be told what the document leads to.
ManifestLinks ParseManifestLinks(std::string_view text, std::string_view what);

}  // namespace imgbuild::specs
