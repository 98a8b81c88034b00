// An image as it is taken from somewhere to be sent elsewhere: its documents byte for byte and
// where its blobs lie, whatever their kind: images of other tools go through unchanged.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "layers/image/image.h"
#include "layers/store/store.h"
#include "specs/oci/descriptor.h"

namespace imgbuild::layers {

struct SourceDocument {
  specs::Descriptor descriptor;
  std::string bytes;  // of that size and digest
};

struct SourceBlob {
  specs::Descriptor descriptor;
  std::filesystem::path path;  // a file of that size; its content is not checked
};

struct ImageSource {
  std::vector<SourceBlob> blobs;          // each digest once
  std::vector<SourceDocument> documents;  // manifests and indexes, children before parents: the
                                          // root is the last
  const specs::Descriptor& root() const { return documents.back().descriptor; }
};

// Whether an image may be handed on of whose blobs some will be in the store only later.
enum class AbsentBlobs { kRefused, kAllowed };

// Throws Error where the store has a damaged document or lacks a blob that may not be absent. The
// path of one that may is where the store will have it.
ImageSource SourceOf(const Image& image, const Store& store,
                     AbsentBlobs absent = AbsentBlobs::kRefused);

// The image that a layout (OCI image-spec v1.1, image-layout.md) has under `name`, or its only one
// for "". Throws Error where there is none, where something that it needs is missing or of another
// size, or where a document is damaged.
ImageSource OpenLayout(const std::filesystem::path& layout, std::string_view name);

}  // namespace imgbuild::layers
