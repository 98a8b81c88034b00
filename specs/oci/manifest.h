// Manifests and indexes (OCI image-spec v1.1, manifest.md and image-index.md). Rendered with fixed
// key order and no optional white space: equal values give equal bytes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "specs/oci/descriptor.h"

namespace imgbuild::specs {

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;  // from the bottom
  std::map<std::string, std::string> annotations;

  bool operator==(const Manifest&) const = default;
};

struct ImageIndex {
  std::vector<Descriptor> manifests;
  std::map<std::string, std::string> annotations;

  bool operator==(const ImageIndex&) const = default;
};

// ParseManifest(RenderManifest(m)) == m. Parsing passes over keys it does not know, as the
// specification demands, and throws Error naming `what` for anything that is no such document.
std::string RenderManifest(const Manifest& manifest);
Manifest ParseManifest(std::string_view text, std::string_view what);

// ParseImageIndex(RenderImageIndex(i)) == i. Entries for platforms that this program does not know
// keep no platform.
std::string RenderImageIndex(const ImageIndex& index);
ImageIndex ParseImageIndex(std::string_view text, std::string_view what);

}  // namespace imgbuild::specs
