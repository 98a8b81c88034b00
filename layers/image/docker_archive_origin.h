// An image in what `docker save` and `podman save` write: a tar with manifest.json that names
// configuration and layers (docker's image specification v1.2, "Combined Image JSON + Filesystem
// Changeset Format"; newer ones also hold an OCI layout beside it, of the same blobs).
//
// Such an archive has no manifest of the image. One is made: an OCI manifest over configuration and
// layers as they stand, plain layers staying plain. It depends on the image alone, not on the
// archive's names and order.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "layers/image/archive_members.h"
#include "layers/image/image_origin.h"
#include "layers/store/store.h"

namespace imgbuild::layers {

class DockerArchiveOrigin : public ImageOrigin {
 public:
  // The image of that name ("team/notebook:latest"; ":latest" and a registry may be left out), or
  // the only one for "". Throws Error (kUsage) where there is none. Borrows the store.
  DockerArchiveOrigin(Store& store, const std::filesystem::path& file, std::string_view name);

  // Its first full name; "" where it has none.
  const std::string& name() const { return name_; }

  specs::Descriptor Root() override { return root_; }
  std::string ReadDocument(const specs::Descriptor& document) override;
  std::string ReadConfig(const specs::Descriptor& config) override;
  // In the store. Layers are of their diff ids, too.
  std::vector<SourceBlob> Files(const std::vector<specs::Descriptor>& blobs) override;
  // REQUIRES: they are layers.
  void Read(const std::vector<specs::Descriptor>& blobs, const TakeBytes& take) override;

 private:
  struct Layer {
    std::string member;
    specs::Sha256 diff_id;
  };
  struct Entry {
    std::string config;
    std::vector<std::string> names;
    std::vector<std::string> layers;
  };

  std::vector<Entry> ReadEntries() const;
  Entry Choose(std::string_view name) const;
  void MakeManifest(const Entry& entry);
  std::map<std::string, specs::Sha256> HashCompressed(const Entry& entry) const;

  Store& store_;
  ArchiveMembers members_;
  std::string name_;
  std::string config_;
  std::string manifest_;
  specs::Descriptor root_;
  std::map<specs::Sha256, Layer> layers_;  // by the blob's digest
};

}  // namespace imgbuild::layers
