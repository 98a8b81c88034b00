// An image that is in the store already, known by its root's descriptor.
#pragma once

#include <string>
#include <vector>

#include "layers/image/image_origin.h"
#include "layers/store/store.h"

namespace imgbuild::layers {

// Borrows the store. Everything throws Error where the store lacks what is asked for.
class StoreOrigin : public ImageOrigin {
 public:
  StoreOrigin(const Store& store, specs::Descriptor root) : store_(store), root_(std::move(root)) {}

  specs::Descriptor Root() override { return root_; }
  std::string ReadDocument(const specs::Descriptor& document) override;
  std::vector<SourceBlob> Files(const std::vector<specs::Descriptor>& blobs) override;

 private:
  const Store& store_;
  const specs::Descriptor root_;
};

}  // namespace imgbuild::layers
