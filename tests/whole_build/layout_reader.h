// Reads an OCI layout as another program would: from index.json down to the last byte, recomputing
// every digest, size and diff id on the way (OCI image-spec v1.1).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "layers/io/archive.h"
#include "specs/oci/image_config.h"
#include "specs/oci/manifest.h"

namespace imgbuild::whole_build {

struct Entry {
  layers::ArchiveEntry head;
  std::string content;
};

struct ReadLayer {
  std::vector<Entry> entries;  // as they stand in the tar
  std::string tar;
};

struct ReadPlatform {
  specs::ImageConfig config;
  specs::Manifest manifest;
  std::vector<ReadLayer> layers;

  // What lies in the image: each layer over those before it. Paths without a slash at either end.
  // Throws for a path that lies below no directory.
  std::map<std::string, Entry> Union() const;
};

struct ReadImage {
  std::vector<ReadPlatform> platforms;
  // Every byte of the layout: file -> content.
  std::map<std::string, std::string> files;
};

// Throws std::runtime_error that says what is wrong.
ReadImage ReadLayout(const std::filesystem::path& layout);

}  // namespace imgbuild::whole_build
