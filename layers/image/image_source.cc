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
  StoreOrigin(const Store& store, Descriptor root) : store_(store), root_(std::move(root)) {}

  Descriptor Root() override { return root_; }
  std::string ReadDocument(const Descriptor& document) override {
    return ReadFile(RequireBlob(store_, document), specs::kMaxDocument);
  }
  std::vector<SourceBlob> Files(const std::vector<Descriptor>& blobs) override {
    std::vector<SourceBlob> files;
    for (const Descriptor& blob : blobs) files.push_back({blob, RequireBlob(store_, blob)});
    return files;
  }

 private:
  const Store& store_;
  const Descriptor root_;
};

}  // namespace

ImageSource SourceOf(const Image& image, const Store& store) {
  StoreOrigin origin(store, image.root);
  return ReadImage(origin);
}

ImageSource OpenLayout(const std::filesystem::path& layout, std::string_view name) {
  LayoutOrigin origin(layout, name);
  return specs::WithContext("while reading " + layout.string(), [&] { return ReadImage(origin); });
}

}  // namespace imgbuild::layers
