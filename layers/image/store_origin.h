// An image that is in the store already, known by its root's descriptor.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "layers/image/image_origin.h"
#include "layers/store/store.h"

namespace imgbuild::layers {

// Borrows the store. Throws Error for what the store lacks or has damaged, but for files that may
// be absent: those are where the store will have them.
class StoreOrigin : public ImageOrigin {
 public:
  StoreOrigin(const Store& store, specs::Descriptor root,
              AbsentBlobs absent = AbsentBlobs::kRefused)
      : store_(store), root_(std::move(root)), absent_(absent) {}

  specs::Descriptor Root() override { return root_; }
  std::string ReadDocument(const specs::Descriptor& document) override;
  std::vector<SourceBlob> Files(const std::vector<specs::Descriptor>& blobs) override;

 private:
  const Store& store_;
  const specs::Descriptor root_;
  const AbsentBlobs absent_;
};

}  // namespace imgbuild::layers
