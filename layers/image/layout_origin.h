// An image in an OCI layout (OCI image-spec v1.1, image-layout.md).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "layers/image/image_origin.h"
#include "specs/oci/layout_index.h"

namespace imgbuild::layers {

class LayoutOrigin : public ImageOrigin {
 public:
  // The image that the layout has under `name`, or its only one for "". Throws Error (kUsage) where
  // there is none.
  LayoutOrigin(std::filesystem::path layout, std::string_view name);

  // The name that it goes by; "" where it has none.
  const std::string& name() const { return name_; }

  specs::Descriptor Root() override { return root_; }
  std::string ReadDocument(const specs::Descriptor& document) override;
  // Of that size; their content is not checked.
  std::vector<SourceBlob> Files(const std::vector<specs::Descriptor>& blobs) override;

 private:
  std::filesystem::path PathOf(const specs::Descriptor& blob) const;

  std::filesystem::path layout_;
  std::string name_;
  specs::Descriptor root_;
};

// The entry of index.json under `name`, or for "" the one that all lead to. `place` is for
// messages: "oci:DIR". Throws Error (kUsage) where there is none.
const specs::LayoutEntry& ChooseEntry(const specs::LayoutIndex& index, std::string_view name,
                                      std::string_view place);

// What the entry leads to. Throws Error where that cannot be told.
specs::Descriptor RootOf(const specs::LayoutEntry& entry);

}  // namespace imgbuild::layers
