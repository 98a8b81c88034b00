#include "layers/image/image_source.h"

#include "layers/image/image_origin.h"
#include "layers/image/layout_origin.h"
#include "layers/image/store_origin.h"
#include "specs/base/error.h"

namespace imgbuild::layers {
ImageSource SourceOf(const Image& image, const Store& store, AbsentBlobs absent) {
  StoreOrigin origin(store, image.root, absent);
  return ReadImage(origin);
}

ImageSource OpenLayout(const std::filesystem::path& layout, std::string_view name) {
  LayoutOrigin origin(layout, name);
  return specs::WithContext("while reading " + layout.string(), [&] { return ReadImage(origin); });
}

}  // namespace imgbuild::layers
