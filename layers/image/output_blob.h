// Blobs on their way into an output, from the store or from wherever an image was found.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "layers/image/image.h"
#include "layers/image/image_source.h"
#include "layers/store/store.h"
#include "specs/base/error.h"

namespace imgbuild::layers {

struct OutputBlob {
  specs::Descriptor descriptor;
  std::filesystem::path path;  // "": a document, in `bytes`
  std::string bytes;

  bool IsDocument() const { return path.empty(); }
  // Whether the store is where it comes from: then it can heal.
  bool IsOf(const Store& store) const { return path == store.paths().Blob(descriptor.digest); }
};

// Root last. Nothing is looked for yet.
std::vector<OutputBlob> OutputBlobs(const Image& image, const Store& store);
std::vector<OutputBlob> OutputBlobs(const ImageSource& image);

// Where its file lies. Throws Error where it is lost, or of another size. REQUIRES: !IsDocument().
std::filesystem::path RequireFile(const Store& store, const OutputBlob& blob);

// What to throw where its content turned out wrong; see DamagedBlob.
specs::Error Damaged(Store& store, const OutputBlob& blob);

}  // namespace imgbuild::layers
