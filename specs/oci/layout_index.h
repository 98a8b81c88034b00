// index.json of an image layout (OCI image-spec v1.1, image-layout.md, "index.json File"), which
// several tools write to: what another one put there stays as it stands, whether we know it or not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "specs/oci/descriptor.h"

namespace imgbuild::specs {

// A descriptor as it stands in the file, and what of it is needed to find one's way.
struct LayoutEntry {
  std::string json;
  std::string media_type;  // "" where it has none
  std::string digest;      // of any algorithm, unchecked; "" where it has none
  std::string ref_name;    // the annotation kAnnotationRefName; "" where it has none

  bool operator==(const LayoutEntry&) const = default;
};

struct LayoutIndex {
  std::vector<LayoutEntry> entries;
  // Members of the document beside schemaVersion, mediaType and manifests, as they stand:
  // "\"annotations\":{...}".
  std::vector<std::string> others;

  bool operator==(const LayoutIndex&) const = default;
};

// The entry of `descriptor` with the annotation kAnnotationRefName.
LayoutEntry MakeLayoutEntry(Descriptor descriptor, std::string_view ref_name);

// Throws Error naming `what` where `text` is not the content of oci-layout, version 1.0.0
// (image-layout.md, "oci-layout file").
void RequireLayoutMarker(std::string_view text, std::string_view what);

// Throws Error naming `what` for anything that is no image index.
LayoutIndex ParseLayoutIndex(std::string_view text, std::string_view what);

// ParseLayoutIndex(RenderLayoutIndex(i)) == i. An index of made entries alone has the bytes that
// RenderImageIndex gives.
std::string RenderLayoutIndex(const LayoutIndex& index);

}  // namespace imgbuild::specs
