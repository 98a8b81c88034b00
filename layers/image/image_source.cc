#include "layers/image/image_source.h"

#include "layers/image/image_blobs.h"
#include "layers/image/image_origin.h"
#include "layers/image/layout_origin.h"
#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/oci/json_document.h"

namespace imgbuild::layers {
namespace {

using specs::Descriptor;

class StoreOrigin : public ImageOrigin {
 public:
  StoreOrigin(const Store& store, Descriptor root, AbsentBlobs absent)
      : store_(store), root_(std::move(root)), absent_(absent) {}

  Descriptor Root() override { return root_; }
  std::string ReadDocument(const Descriptor& document) override {
    return ReadFile(RequireBlob(store_, document), specs::kMaxDocument);
  }
  std::vector<SourceBlob> Files(const std::vector<Descriptor>& blobs) override {
    std::vector<SourceBlob> files;
    for (const Descriptor& blob : blobs) {
      files.push_back({blob, absent_ == AbsentBlobs::kAllowed ? store_.paths().Blob(blob.digest)
                                                              : RequireBlob(store_, blob)});
    }
    return files;
  }

 private:
  const Store& store_;
  const Descriptor root_;
  const AbsentBlobs absent_;
};

}  // namespace

ImageSource SourceOf(const Image& image, const Store& store, AbsentBlobs absent) {
  StoreOrigin origin(store, image.root, absent);
  return ReadImage(origin);
}

ImageSource OpenLayout(const std::filesystem::path& layout, std::string_view name) {
  LayoutOrigin origin(layout, name);
  return specs::WithContext("while reading " + layout.string(), [&] { return ReadImage(origin); });
}

}  // namespace imgbuild::layers
