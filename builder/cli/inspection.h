// What an image is, for people and for programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "builder/registry/referrers.h"
#include "layers/image/image_origin.h"
#include "specs/oci/document.h"
#include "specs/oci/foreign_config.h"

namespace imgbuild::builder {

struct InspectedLayer {
  specs::DocumentLink link;
  std::string created_by;  // of the configuration's history; "" where it does not say
};

// One manifest.
struct InspectedManifest {
  specs::Descriptor descriptor;
  std::string platform;  // as its index or configuration says; "" for neither
  std::string artifact_type;
  std::optional<specs::DocumentLink> config_link;
  std::optional<specs::ForeignConfig> config;  // of images, not of artifacts
  std::vector<InspectedLayer> layers;
  std::map<std::string, std::string> annotations;

  std::uint64_t Size() const;  // of its layers, compressed
};

struct Inspection {
  std::string name;
  specs::Descriptor root;
  std::map<std::string, std::string> annotations;  // of an index
  std::vector<InspectedManifest> manifests;
  std::optional<std::vector<Referrer>> referrers;  // where they were asked for
};

// Reads manifests and configurations, no layer.
Inspection Inspect(layers::ImageOrigin& origin, std::string name, const std::string& platform);

// A table. What the image says is cut and cleaned to what a terminal may show.
std::string RenderInspection(const Inspection& inspection);

// One document, of two spaces' indent, without a newline at its end.
std::string InspectionJson(const Inspection& inspection);

}  // namespace imgbuild::builder
