// Manifests and indexes of any tool, read for what they are and what they need: OCI image-spec v1.1
// (manifest.md, image-index.md) and docker's image manifests, version 2, schema 2. What they hold
// beyond that stays in their bytes, which are passed on as they are.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/oci/descriptor.h"

namespace imgbuild::specs {

enum class DocumentKind { kManifest, kIndex };

// A descriptor in a document.
struct DocumentLink {
  Descriptor descriptor;
  std::string platform;       // "linux/arm64/v8", of any kind; "" where it says none
  std::string artifact_type;  // "" where it says none
  // Its bytes are elsewhere and may not be passed on: it has "urls", or a media type that says so.
  bool foreign = false;

  bool operator==(const DocumentLink&) const = default;
};

struct Document {
  DocumentKind kind = DocumentKind::kManifest;
  std::string media_type;  // as the document says; "" where it does not
  std::string artifact_type;
  std::optional<DocumentLink> config;
  std::vector<DocumentLink> layers;     // and the blobs of artifact manifests
  std::vector<DocumentLink> manifests;  // of an index
  std::optional<DocumentLink> subject;
  std::map<std::string, std::string> annotations;

  bool operator==(const Document&) const = default;
};

// Throws Error naming `what` for anything else: docker's schema 1, documents that are index and
// manifest at once (which tools would read differently), digests other than sha256.
Document ParseDocument(std::string_view text, std::string_view what);

// Whether registries and we know it as that of a manifest or index.
bool IsDocumentType(std::string_view media_type);

// Whether an image for `offered` ("linux/arm64/v8") is one for `wanted` ("linux/arm64"): a variant
// must agree where it is wanted; arm64 and arm64/v8 are the same.
bool PlatformFits(std::string_view wanted, std::string_view offered);

// Whether it is OS/ARCHITECTURE[/VARIANT].
bool IsPlatformName(std::string_view text);

}  // namespace imgbuild::specs
