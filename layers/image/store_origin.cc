#include "layers/image/store_origin.h"

#include "layers/image/image_blobs.h"
#include "layers/io/file.h"
#include "specs/oci/json_document.h"

namespace imgbuild::layers {

std::string StoreOrigin::ReadDocument(const specs::Descriptor& document) {
  return ReadFile(RequireBlob(store_, document), specs::kMaxDocument);
}

std::vector<SourceBlob> StoreOrigin::Files(const std::vector<specs::Descriptor>& blobs) {
  std::vector<SourceBlob> files;
  for (const specs::Descriptor& blob : blobs) {
    files.push_back({blob, absent_ == AbsentBlobs::kAllowed ? store_.paths().Blob(blob.digest)
                                                            : RequireBlob(store_, blob)});
  }
  return files;
}

}  // namespace imgbuild::layers
