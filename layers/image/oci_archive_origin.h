// An image in an oci-archive: an OCI layout in a tar. What is wanted of it goes straight into the
// store.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "layers/image/archive_members.h"
#include "layers/image/image_origin.h"
#include "layers/store/store.h"

namespace imgbuild::layers {

class OciArchiveOrigin : public ImageOrigin {
 public:
  // As LayoutOrigin. Borrows the store.
  OciArchiveOrigin(Store& store, const std::filesystem::path& file, std::string_view name);

  const std::string& name() const { return name_; }

  specs::Descriptor Root() override { return root_; }
  std::string ReadDocument(const specs::Descriptor& document) override;
  // In the store, of that digest and size.
  std::vector<SourceBlob> Files(const std::vector<specs::Descriptor>& blobs) override;
  void Read(const std::vector<specs::Descriptor>& blobs, const TakeBytes& take) override;

 private:
  Store& store_;
  ArchiveMembers members_;
  std::string name_;
  specs::Descriptor root_;
};

}  // namespace imgbuild::layers
