#include "layers/image/output_blob.h"

#include <fmt/format.h>

#include "layers/image/image_blobs.h"

namespace imgbuild::layers {
namespace {

namespace fs = std::filesystem;

}  // namespace

std::vector<OutputBlob> OutputBlobs(const Image& image, const Store& store) {
  std::vector<OutputBlob> blobs;
  for (const specs::Descriptor& blob : image.Blobs()) {
    blobs.push_back({blob, store.paths().Blob(blob.digest), ""});
  }
  return blobs;
}

std::vector<OutputBlob> OutputBlobs(const ImageSource& image) {
  std::vector<OutputBlob> blobs;
  for (const SourceBlob& blob : image.blobs) blobs.push_back({blob.descriptor, blob.path, ""});
  for (const SourceDocument& document : image.documents) {
    blobs.push_back({document.descriptor, "", document.bytes});
  }
  return blobs;
}

fs::path RequireFile(const Store& store, const OutputBlob& blob) {
  if (blob.IsOf(store)) return RequireBlob(store, blob.descriptor);
  std::error_code error;
  const std::uintmax_t size = fs::file_size(blob.path, error);
  if (!error && size == blob.descriptor.size) return blob.path;
  throw specs::Error(specs::ErrorKind::kVerification,
                     fmt::format("{} is not there as it was any more", blob.path.string()))
      .Found(error ? error.message() : fmt::format("{} bytes", size))
      .Expected(fmt::format("{} bytes", blob.descriptor.size));
}

specs::Error Damaged(Store& store, const OutputBlob& blob) {
  if (blob.IsOf(store)) return DamagedBlob(store, blob.descriptor.digest);
  return specs::Error(specs::ErrorKind::kVerification,
                      fmt::format("{} is damaged", blob.path.string()))
      .Expected(blob.descriptor.digest.Oci());
}

}  // namespace imgbuild::layers
